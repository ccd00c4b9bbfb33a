//! Sentences for a terminal, broken where its line ends.

use textwrap::{Options, WordSplitter};

/// A class has a terminal of 100 columns.
const COLUMNS: usize = 100;

/// The same words, in lines that fit. However a paragraph was broken before, it is broken anew.
pub(crate) fn filled(text: &str) -> String {
    text.split("\n\n").map(|paragraph| hanging("", paragraph)).collect::<Vec<_>>().join("\n\n")
}

/// One paragraph behind `lead`, which nothing stands below.
pub(crate) fn hanging(lead: &str, paragraph: &str) -> String {
    let indent = " ".repeat(lead.chars().count());
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let options = options().initial_indent(lead).subsequent_indent(&indent);
    textwrap::fill(&words.join(" "), options)
}

/// The same lines, those that do not fit broken between two words.
pub(crate) fn broken(lines: &str) -> String {
    textwrap::fill(lines, options())
}

/// No word is broken, be it as long as a path.
fn options<'a>() -> Options<'a> {
    Options::new(COLUMNS).break_words(false).word_splitter(WordSplitter::NoHyphenation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_broken_anew_and_stays_one() {
        let text = format!("{}\nnext line\n\nanother", "word ".repeat(30));
        let shown = filled(&text);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.iter().all(|line| line.len() <= COLUMNS && !line.ends_with(' ')), "{shown}");
        assert_eq!(lines.len(), 4);
        assert!(lines[1].ends_with("word next line") && lines[3] == "another", "{shown}");
    }

    #[test]
    fn nothing_stands_below_what_leads() {
        let shown = hanging("race  ok  ", &"word ".repeat(30));
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[0].starts_with("race  ok  word"), "{shown}");
        assert!(lines[1].starts_with("          word"), "{shown}");
    }

    #[test]
    fn lines_stay_as_they_are_if_they_fit_and_words_always_do() {
        let (path, words) = ("/long".repeat(30), "non-blocking ".repeat(10));
        let lines = format!("  indented\n{path}\n{words}");
        let shown = broken(&lines);
        assert!(shown.starts_with(&format!("  indented\n{path}\nnon-blocking ")), "{shown}");
        assert!(shown.lines().skip(2).all(|line| line.ends_with("blocking")), "{shown}");
    }
}
