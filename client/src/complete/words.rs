//! A line that is still being typed, as words.
//!
//! `shell_words` splits the line that is finished. Here the last word may end in an open quote or a
//! backslash, and what is inserted must be quoted as it was begun.

/// The word before the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// What it says so far, without quotes.
    pub(super) text: String,
    quote: Quote,
}

/// The quote that is open at the end of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
}

impl Word {
    /// `text` in its place, to be typed on.
    pub(super) fn begin(&self, text: &str) -> String {
        match self.quote {
            Quote::None => escaped(text, |c| c.is_whitespace() || r#"'"\#*?["#.contains(c)),
            Quote::Single => format!("'{}", text.replace('\'', r"'\''")),
            Quote::Double => format!("\"{}", escaped(text, |c| r#""\$`"#.contains(c))),
        }
    }

    /// `text` in its place, complete: the quote is closed, and a space follows.
    pub(super) fn end(&self, text: &str) -> String {
        let close = match self.quote {
            Quote::None => "",
            Quote::Single => "'",
            Quote::Double => "\"",
        };
        format!("{}{close} ", self.begin(text))
    }
}

fn escaped(text: &str, is_special: impl Fn(char) -> bool) -> String {
    let mut typed = String::with_capacity(text.len());
    for c in text.chars() {
        if is_special(c) {
            typed.push('\\');
        }
        typed.push(c);
    }
    typed
}

/// The words of a line up to the cursor: those that are finished, and the one before the cursor,
/// which may be empty. `None` within a comment.
pub(super) fn split(line: &str) -> Option<(Vec<String>, Word)> {
    let empty = |start| Word { start, text: String::new(), quote: Quote::None };
    let (mut ahead, mut word, mut is_begun) = (Vec::new(), empty(line.len()), false);
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        if word.quote == Quote::None && matches!(c, ' ' | '\t' | '\n') {
            if is_begun {
                ahead.push(std::mem::replace(&mut word, empty(line.len())).text);
            }
            is_begun = false;
            continue;
        }
        if !is_begun {
            if c == '#' {
                return None;
            }
            (word.start, is_begun) = (at, true);
        }
        match (word.quote, c) {
            (Quote::None, '\'') => word.quote = Quote::Single,
            (Quote::None, '"') => word.quote = Quote::Double,
            (Quote::Single, '\'') | (Quote::Double, '"') => word.quote = Quote::None,
            (Quote::None, '\\') => word.text.extend(chars.next().map(|(_, c)| c)),
            (Quote::Double, '\\') => match chars.next() {
                Some((_, c)) if r#""\$`"#.contains(c) => word.text.push(c),
                other => word.text.extend(other.into_iter().flat_map(|(_, c)| ['\\', c])),
            },
            (_, c) => word.text.push(c),
        }
    }
    Some((ahead, word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_word_before_the_cursor_is_found_in_whatever_quotes() {
        for (line, ahead, start, text) in [
            ("", 0, 0, ""),
            ("pu", 0, 0, "pu"),
            ("put ", 1, 4, ""),
            (r"put a\ b", 1, 4, "a b"),
            (r#"put "a b"#, 1, 4, "a b"),
            ("put 'a b", 1, 4, "a b"),
            (r#"put "a b" c"#, 2, 10, "c"),
            (r"put a\", 1, 4, "a"),
            ("put 笔记 '笔", 2, 11, "笔"),
        ] {
            let (words, word) = split(line).unwrap();
            assert_eq!(
                (words.len(), word.start, word.text.as_str()),
                (ahead, start, text),
                "{line}"
            );
        }
        assert_eq!(split("put # a"), None);
    }

    proptest! {
        #[test]
        fn a_finished_line_falls_into_the_same_words_as_when_it_is_obeyed(
            line in r#"[ab'"\\ #$笔]{0,12}"#,
        ) {
            // What a backslash joins to the next line is for who has lines that go on.
            if let (Ok(obeyed), Some((words, _))) = (shell_words::split(&line), split(&format!("{line} ")))
                && !line.ends_with('\\')
            {
                prop_assert_eq!(words, obeyed);
            }
        }

        #[test]
        fn what_is_inserted_means_what_was_offered(
            typed in r#"(|'|")[ab]{0,3}"#,
            text in r#"[ab'"\\ #$*?`笔-]{1,12}"#,
        ) {
            let (_, word) = split(&typed).unwrap();
            let line = word.end(&text);
            prop_assert_eq!(shell_words::split(&line).unwrap(), [text.clone()]);
            let (_, again) = split(&word.begin(&text)).unwrap();
            prop_assert_eq!(again.text, text);
        }
    }
}
