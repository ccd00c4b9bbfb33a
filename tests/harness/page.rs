//! A page of the documents, as a reader meets it: headings, links, transcripts, lines of code.
//!
//! The pages are Markdown, read by the same parser as mdBook's. Everything found keeps its place in
//! the text, so that what has moved can be put right there.

mod reader;

use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

/// Where the repository is; all paths here are relative to it.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).to_owned()
}

/// A page, and what is on it.
#[derive(Debug, Default)]
pub struct Page {
    /// Where it is, as in `docs/lab.md`.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
    /// In order.
    pub headings: Vec<Heading>,
    /// To other places of the documents and of the code, and to elsewhere.
    pub links: Vec<Link>,
    /// The fenced blocks, and what is done offstage.
    pub blocks: Vec<Block>,
    /// What is set in code, as in `` `module::test` ``, outside of blocks.
    pub spans: Vec<String>,
    /// Lines of code that are referred to.
    pub references: Vec<Reference>,
}

/// A heading.
#[derive(Debug)]
pub struct Heading {
    /// 1 for the title.
    pub level: usize,
    /// Its words.
    pub text: String,
    /// What a link to it ends in, as forges make it.
    pub anchor: String,
    /// Where it begins.
    start: usize,
}

/// A link.
#[derive(Debug)]
pub struct Link {
    /// The line of the page.
    pub line: usize,
    /// Where it leads, as it is written.
    pub target: String,
}

/// A fenced block of text; or a comment `<!-- offstage … -->`, which readers do not see.
#[derive(Debug)]
pub struct Block {
    /// What stands behind the fence, as in `console figures`, or `offstage`.
    pub info: String,
    /// The line of the page on which its text begins.
    pub line: usize,
    /// Where its text is.
    pub range: Range<usize>,
}

/// A line of a file that the page refers to: `` `server/src/queue.rs:12` ``, or a link
/// `[queue.rs:12](../server/src/queue.rs#L12)`. What stands in code right behind it, at most with
/// punctuation or the border of a table's cell between, is a quotation of that line.
#[derive(Debug)]
pub struct Reference {
    /// The file, from the root.
    pub file: PathBuf,
    /// Its line, from 1.
    pub number: usize,
    /// A piece of that line.
    pub quoted: Option<String>,
    /// Where the page refers to it.
    pub range: Range<usize>,
}

impl Page {
    /// Reads the page at `path`, as in `docs/lab.md`.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(root().join(path))?;
        Ok(reader::read(text, path))
    }

    /// The blocks that are run: what is typed and shown, and what is done offstage.
    pub fn scenes(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.is_transcript() || block.info == "offstage")
    }

    /// The text of a block.
    pub fn text_of(&self, block: &Block) -> &str {
        self.text.get(block.range.clone()).unwrap_or_default()
    }

    /// The same page without the sections that have these headings.
    #[must_use]
    pub fn without(&self, headings: &[&str]) -> Self {
        let mut text = self.text.clone();
        for (index, heading) in self.headings.iter().enumerate().rev() {
            if headings.contains(&heading.text.as_str()) {
                let mut behind = self.headings.iter().skip(index + 1);
                let next = behind.find(|next| next.level <= heading.level);
                let end = next.map_or(self.text.len(), |next| next.start);
                text.replace_range(heading.start..end, "");
            }
        }
        reader::read(text, &self.path)
    }

    /// The path that a link of this page leads to, from the root, and what follows its `#`; none
    /// if it leads out of the repository.
    pub fn destination<'a>(&self, target: &'a str) -> Option<(PathBuf, &'a str)> {
        if target.contains("://") || target.starts_with("mailto:") {
            return None;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let path = if path.is_empty() { self.path.clone() } else { folder.join(path) };
        let mut from_root = PathBuf::new();
        for part in path.components() {
            match part {
                Component::ParentDir => drop(from_root.pop()),
                Component::CurDir => {}
                part => from_root.push(part),
            }
        }
        Some((from_root, anchor))
    }
}

impl Block {
    /// Whether it is run and compared.
    pub fn is_transcript(&self) -> bool {
        self.info.split_whitespace().next() == Some("console")
    }

    /// Whether its figures are measured, so that no number is compared.
    pub fn is_measured(&self) -> bool {
        self.info.split_whitespace().any(|word| word == "figures")
    }
}

/// Whether words in code are the name of a test, as in `module::what_must_be_so`: of small letters
/// alone, and a sentence, or in a module `tests`.
pub fn names_a_test(words: &str) -> bool {
    let is_name = |name: &str| {
        let mut letters = name.chars();
        letters.next().is_some_and(|c| c.is_ascii_lowercase())
            && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let names: Vec<&str> = words.split("::").collect();
    let sentence = names.last().is_some_and(|last| last.matches('_').count() >= 3);
    names.len() >= 2
        && names.iter().all(|name| is_name(name))
        && (sentence || names.contains(&"tests"))
}

/// The line of the text, from 1, that the byte at `place` is in.
pub fn line_at(text: &str, place: usize) -> usize {
    1 + text.bytes().take(place).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::{Page, names_a_test};

    fn page(text: &str) -> Page {
        super::reader::read(text.to_owned(), Path::new("docs/page.md"))
    }

    #[test]
    fn a_line_of_code_is_referred_to_in_code_or_by_a_link_and_quoted_behind_it() {
        let found = page(
            "`server/src/queue.rs:12`, `bounded`; [queue.rs:7](../server/src/queue.rs#L7) but `no`.\n\n\
             | a | [a.rs:3](../a.rs#L3) | `of it` | `module::a_test_is_no_quotation` |\n|--|--|--|--|\n",
        );
        let found: Vec<_> = found
            .references
            .iter()
            .map(|r| (r.file.to_str().unwrap(), r.number, r.quoted.as_deref()))
            .collect();
        let expected = [
            ("server/src/queue.rs", 12, Some("bounded")),
            ("server/src/queue.rs", 7, None),
            ("a.rs", 3, Some("of it")),
        ];
        assert_eq!(found, expected);
        assert!(page("`127.0.0.1:9021`").references.is_empty());
    }

    #[test]
    fn blocks_are_found_with_what_is_done_offstage() {
        let page =
            page("<!-- offstage\nmkdir a\n-->\n```console figures\n$ ls\n\na\n```\n<!-- b -->\n");
        let found: Vec<_> = page.scenes().map(|b| (b.line, page.text_of(b))).collect();
        assert_eq!(found, [(2, "mkdir a\n"), (5, "$ ls\n\na\n")]);
        assert!(page.blocks[1].is_transcript() && page.blocks[1].is_measured());
    }

    #[test]
    fn anchors_are_as_a_forge_makes_them() {
        let page = page("# Bird's `eye`: 3, 4\n## 目标 two\n## 目标 two\n");
        let anchors: Vec<&str> = page.headings.iter().map(|h| h.anchor.as_str()).collect();
        assert_eq!(anchors, ["birds-eye-3-4", "目标-two", "目标-two-1"]);
    }

    #[test]
    fn a_sentence_of_small_letters_is_the_name_of_a_test() {
        assert!(names_a_test("claims::first_come_first_served"));
        assert!(names_a_test("writer::tests::works"));
        assert!(!names_a_test("std::fs::create_dir") && !names_a_test("State::WaitFile"));
    }
}
