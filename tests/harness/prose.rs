//! Sentences for a terminal, broken where its line ends.

/// A class has a terminal of 100 columns, and one stays free.
const COLUMNS: usize = 99;

/// The same words, in lines that fit. However a paragraph was broken before, it is broken anew.
pub(crate) fn filled(text: &str) -> String {
    hanging("", text)
}

/// The words behind `lead`, which nothing stands below.
pub(crate) fn hanging(lead: &str, text: &str) -> String {
    let indent = " ".repeat(lead.chars().count());
    let options = textwrap::Options::new(COLUMNS).subsequent_indent(&indent);
    let paragraph = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        textwrap::fill(&words.join(" "), options.clone().initial_indent(lead))
    };
    text.split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n")
}

/// The same lines, those that do not fit broken between two words.
pub(crate) fn broken(lines: &str) -> String {
    textwrap::fill(lines, COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_broken_anew_and_stays_one() {
        let text = format!("{}\nnext line\n\nanother", "word ".repeat(30));
        let lines: Vec<String> = filled(&text).lines().map(str::to_owned).collect();
        assert!(
            lines.iter().all(|line| line.len() <= COLUMNS && !line.ends_with(' ')),
            "{lines:?}"
        );
        assert_eq!(lines.len(), 4);
        assert!(lines[1].ends_with("word next line") && lines[3] == "another", "{lines:?}");
    }

    #[test]
    fn nothing_stands_below_what_leads() {
        let shown = hanging("race  ok  ", &"word ".repeat(30));
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[0].starts_with("race  ok  word"), "{shown}");
        assert!(lines[1].starts_with("          word"), "{shown}");
    }
}
