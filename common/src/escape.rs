//! Other people's text, made safe to print.
//!
//! A file name may hold `ESC ] 0 ;` and rename your terminal, or a right-to-left override and
//! show `exe.txt` as `txt.exe`. Whatever came from a peer goes through [`Safe`] before it meets a
//! terminal or a log.

use std::fmt;

/// Shows a text with every control, direction and line-breaking character as `\u{…}`.
#[derive(Debug, Clone, Copy)]
pub struct Safe<'a>(pub &'a str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nearly every text is one piece, and is written in one go.
        self.0.split_inclusive(is_unprintable).try_for_each(|piece| {
            let printable = piece.trim_end_matches(is_unprintable);
            f.write_str(printable)?;
            piece[printable.len()..].chars().try_for_each(|c| write!(f, "{}", c.escape_unicode()))
        })
    }
}

/// C0 and C1 controls, DEL, the bidirectional controls of Unicode's UAX #9, line and paragraph
/// separators, and the byte order mark: what acts on a terminal instead of showing on it.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_escape_sequence_is_shown_and_not_obeyed() {
        assert_eq!(Safe("\x1b]0;x\x07").to_string(), r"\u{1b}]0;x\u{7}");
        assert_eq!(Safe("a\u{202e}b\u{9b}").to_string(), r"a\u{202e}b\u{9b}");
        assert_eq!(Safe("笔记 😀.txt").to_string(), "笔记 😀.txt");
    }

    proptest! {
        #[test]
        fn nothing_unprintable_survives(text in any::<String>()) {
            prop_assert!(!Safe(&text).to_string().contains(is_unprintable));
        }
    }
}
