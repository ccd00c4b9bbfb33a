//! What bars, arrows and the end of a cut text are drawn with.

use std::env;

/// The signs that not every terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glyphs {
    pub(crate) full: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) cut: &'static str,
}

impl Glyphs {
    /// Where only these can be trusted to take one column.
    pub(crate) const ASCII: Self = Self { full: "#", empty: ".", from: "<-", to: "->", cut: "~" };
    pub(crate) const UNICODE: Self =
        Self { full: "█", empty: "░", from: "←", to: "→", cut: "…" };

    /// What the person's terminal can show.
    pub(crate) fn here() -> Self {
        Self::of_locale(|name| env::var(name).ok())
    }

    /// POSIX: the first of these that is set decides.
    pub(crate) fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable);
        let locale = set.find(|value| !value.is_empty()).unwrap_or_default().to_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") {
            Self::UNICODE
        } else {
            Self::ASCII
        }
    }
}
