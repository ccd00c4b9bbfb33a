//! User names, parsed once.

use std::fmt;

use crate::escape::Safe;
use crate::limits::USER_BYTES_MAX;

/// What a guest is called, and therefore nobody else.
pub const GUEST: &str = "guest";

/// A name an account may have: a letter or digit, then letters, digits, `.`, `_`, `-`; ASCII, and
/// small letters only. It can stand in a path, in a log and in a chat as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

/// Why a text is no user name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserNameError {
    /// A character, a first character or a length that is not allowed.
    #[error(
        "`{}` cannot be a user name: use 1 to {USER_BYTES_MAX} of a-z 0-9 . _ -, and begin with \
         a letter or digit",
        Safe(.0)
    )]
    Malformed(String),
    /// A name that means something already.
    #[error("the name `{GUEST}` is taken by everybody who has not logged in; choose another")]
    Reserved,
}

impl UserName {
    /// Reads a name. Capitals are folded, so `Root` and `root` are one user.
    pub fn parse(text: &str) -> Result<Self, UserNameError> {
        let name = text.to_ascii_lowercase();
        let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        let rest = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !first || !rest || name.len() > USER_BYTES_MAX {
            return Err(UserNameError::Malformed(text.chars().take(64).collect()));
        }
        if name == GUEST { Err(UserNameError::Reserved) } else { Ok(Self(name)) }
    }

    /// The name, in small letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_and_its_capitals_do_not_count() {
        for (text, name) in [("xiaoyu", "xiaoyu"), ("Root", "root"), ("a.b_c-9", "a.b_c-9")] {
            assert_eq!(UserName::parse(text).unwrap().as_str(), name);
        }
        let long = "a".repeat(USER_BYTES_MAX + 1);
        for bad in ["", ".a", "-a", "a/b", "..", "a b", "张三", "a\n", "Guest", &long] {
            assert!(UserName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
