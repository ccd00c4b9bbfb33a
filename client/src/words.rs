//! Everything the client says to people, in the two languages they read, side by side.
//!
//! Only what implements [`Words`] can be said on stderr, and all that does stands here:
//!
//! - `talk`: what is said by the way, and what is asked. `menu`: the numbered menu. `room`: what
//!   happens in the room.
//! - `failure`: why something was not done, and what to do about it; `error` says what happened,
//!   `cause` how, `refusal` what the server means, `system` what this machine means.
//! - `sum`: what came of many files. `screen`: what stands on the live screen. `wire`: what goes over
//!   the wire.
//! - `part`: what is put in, made safe to print: names, sizes, times.
//!
//! Results on stdout are the same in every language, for programs read those; so are the help pages
//! and what the parser of the command line says.

mod cause;
mod error;
mod failure;
mod menu;
mod part;
mod refusal;
mod room;
mod screen;
mod sum;
mod system;
mod talk;
mod wire;

use clap::ValueEnum;

pub(crate) use self::failure::Failure;
pub(crate) use self::menu::{Brackets, Message};
pub(crate) use self::part::Size;
pub(crate) use self::room::Happening;
pub(crate) use self::screen::OnScreen;
pub(crate) use self::sum::Sum;
pub(crate) use self::talk::{LeftOut, Talk, Unit};
pub(crate) use self::wire::OnWire;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// English
    En,
    /// 中文
    Zh,
}

impl Lang {
    /// The language of the person's other programs. POSIX: the first of these that is set decides.
    pub(crate) fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable);
        match set.find(|value| !value.is_empty()) {
            Some(locale) if locale.starts_with("zh") => Self::Zh,
            _ => Self::En,
        }
    }
}

/// What can be said, in either language. A text from outside cannot, unless it is made
/// [`Safe`](common::escape::Safe).
pub(crate) trait Words {
    fn words(&self, lang: Lang) -> String;
}

/// `say!(lang, english, chinese, name = part, …)`: one of the two, with the parts put in, which are
/// themselves [`Words`]. It does not compile if one is missing, stands in the other's place, or
/// leaves out a part.
macro_rules! say {
    ($lang:expr, $en:literal, $zh:literal $(, $part:ident = $value:expr)* $(,)?) => {{
        const { assert!($crate::words::is_english($en) && $crate::words::is_chinese($zh)) }
        let lang: $crate::words::Lang = $lang;
        $(let $part = $crate::words::Words::words(&$value, lang);)*
        match lang {
            $crate::words::Lang::En => std::fmt::format(format_args!($en $(, $part = $part)*)),
            $crate::words::Lang::Zh => std::fmt::format(format_args!($zh $(, $part = $part)*)),
        }
    }};
}

/// A table with a message a row: its name, its parts, English, Chinese.
macro_rules! messages {
    ($(#[$doc:meta])* $name:ident:
        $($row:ident $({ $($part:ident: $type:ty),* })?: $en:literal, $zh:literal;)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub(crate) enum $name<'a> { $($row $({ $($part: $type),* })?),* }

        impl $crate::words::Words for $name<'_> {
            fn words(&self, lang: $crate::words::Lang) -> String {
                match self {
                    $(Self::$row $({ $($part),* })? =>
                        $crate::words::say!(lang, $en, $zh $($(, $part = $part)*)?),)*
                }
            }
        }
    };
}

use {messages, say};

/// ASCII, but for `…`.
const fn is_english(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] >= 0xe3 {
            return false;
        }
        at += 1;
    }
    true
}

/// Has a Chinese character, or no letter that would have to be one.
const fn is_chinese(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut at, mut in_part, mut letters) = (0, false, false);
    while at < bytes.len() {
        match bytes[at] {
            // U+3000 and up, in UTF-8.
            0xe3..=0xef => return true,
            b'{' => in_part = true,
            b'}' => in_part = false,
            b'a'..=b'z' | b'A'..=b'Z' if !in_part => letters = true,
            _ => {}
        }
        at += 1;
    }
    !letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_the_wrong_place_is_noticed() {
        assert!(is_english("`{name}` is uploaded ({size}).") && is_english("(.git, …)"));
        assert!(!is_english("上传成功"));
        assert!(is_chinese("“{name}” 上传成功") && is_chinese("------ [{user}] ------"));
        assert!(!is_chinese("uploaded") && !is_chinese("“{name}” uploaded"));
    }

    #[test]
    fn the_first_variable_that_is_set_chooses_the_language() {
        let lang = |all: &str, lang: &str| {
            Lang::of_locale(|name| match name {
                "LC_ALL" => Some(all.to_owned()),
                "LANG" => Some(lang.to_owned()),
                _ => None,
            })
        };
        assert_eq!(lang("", "zh_CN.UTF-8"), Lang::Zh);
        assert_eq!(lang("en_US.UTF-8", "zh_CN.UTF-8"), Lang::En);
        assert_eq!(lang("zh", ""), Lang::Zh);
        assert_eq!(lang("", "C"), Lang::En);
    }
}
