//! From the events of the Markdown parser to what is on a page.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::{Block, Heading, Link, Page, Reference, line_at, names_a_test};

/// What may stand between a line of code and its quotation.
const BETWEEN: &str = " :,–—()：，（）、";

/// Everything on a page.
pub(super) fn read(text: String, path: &Path) -> Page {
    let page = Page { path: path.to_owned(), text, ..Page::default() };
    let text = page.text.clone();
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut reader = Reader { page, ..Reader::default() };
    for (event, range) in Parser::new_ext(&text, options).into_offset_iter() {
        reader.meets(event, range);
    }
    reader.page
}

#[derive(Default)]
struct Reader {
    page: Page,
    /// How often each anchor was made.
    anchors: HashMap<String, usize>,
    /// The heading, link or block that has begun and not ended.
    heading: Option<Heading>,
    link: Option<Reference>,
    block: Option<Block>,
    /// Whether the last reference waits for its quotation.
    awaits_quotation: bool,
}

impl Reader {
    fn meets(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.begins(tag, range),
            Event::End(tag) => self.ends(tag),
            Event::Text(words) => self.text(&words, range),
            Event::Code(words) => self.code(words.into_string(), range),
            Event::SoftBreak => {}
            _ => self.awaits_quotation = false,
        }
    }

    fn begins(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { level, .. } => {
                let (level, start) = (level as usize, range.start);
                let nothing = String::new;
                self.heading = Some(Heading { level, text: nothing(), anchor: nothing(), start });
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                let (target, line) =
                    (dest_url.into_string(), line_at(&self.page.text, range.start));
                self.link = line_linked(&self.page, &target).map(|(file, number)| Reference {
                    file,
                    number,
                    quoted: None,
                    range,
                });
                self.page.links.push(Link { line, target });
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) => {
                let (info, empty) = (info.into_string(), range.end..range.end);
                self.block = Some(Block { info, line: 0, range: empty });
            }
            Tag::HtmlBlock => {
                let comment = self.page.text.get(range.clone()).unwrap_or_default();
                if let Some(inside) = offstage(comment) {
                    let range = range.start + inside.start..range.start + inside.end;
                    self.block = Some(Block { info: "offstage".to_owned(), line: 0, range });
                }
            }
            Tag::TableCell | Tag::Emphasis => {}
            _ => self.awaits_quotation = false,
        }
    }

    fn ends(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                if let Some(mut heading) = self.heading.take() {
                    heading.anchor = unique(&mut self.anchors, anchor(&heading.text));
                    self.page.headings.push(heading);
                }
            }
            TagEnd::Link | TagEnd::Image => {
                self.awaits_quotation = self.link.is_some();
                self.page.references.extend(self.link.take());
            }
            TagEnd::CodeBlock | TagEnd::HtmlBlock => {
                if let Some(mut block) = self.block.take() {
                    block.line = line_at(&self.page.text, block.range.start);
                    self.page.blocks.push(block);
                }
            }
            TagEnd::TableCell | TagEnd::Emphasis => {}
            _ => self.awaits_quotation = false,
        }
    }

    fn text(&mut self, words: &str, range: Range<usize>) {
        if let Some(block) = &mut self.block {
            // It comes in pieces.
            block.range = block.range.start.min(range.start)..range.end;
        }
        if let Some(heading) = &mut self.heading {
            heading.text.push_str(words);
        }
        self.awaits_quotation &= words.chars().all(|c| BETWEEN.contains(c));
    }

    fn code(&mut self, words: String, range: Range<usize>) {
        if let Some(heading) = &mut self.heading {
            heading.text.push_str(&words);
        }
        if self.link.is_none() {
            let named = line_named(&words);
            let is_reference = named.is_some();
            if let Some((file, number)) = named {
                self.page.references.push(Reference { file, number, quoted: None, range });
            } else if self.awaits_quotation
                && !names_a_test(&words)
                && let Some(last) = self.page.references.last_mut()
            {
                last.quoted = Some(words.clone());
            }
            self.awaits_quotation = is_reference;
        }
        self.page.spans.push(words);
    }
}

/// The line of a file of the repository that a link leads to.
fn line_linked(page: &Page, target: &str) -> Option<(PathBuf, usize)> {
    let (file, anchor) = page.destination(target)?;
    Some((file, anchor.strip_prefix('L')?.parse().ok()?))
}

/// The line that `server/src/queue.rs:12` means.
fn line_named(words: &str) -> Option<(PathBuf, usize)> {
    let (file, number) = words.rsplit_once(':')?;
    let extension = Path::new(file).extension()?.to_str()?;
    let is_text = ["rs", "toml", "md", "txt", "sh", "py"].contains(&extension);
    Some((PathBuf::from(file), number.parse().ok().filter(|_| is_text)?))
}

/// What a comment does offstage, within it.
fn offstage(comment: &str) -> Option<Range<usize>> {
    const OPENS: &str = "<!-- offstage\n";
    let (inside, _) = comment.strip_prefix(OPENS)?.split_once("-->")?;
    Some(OPENS.len()..OPENS.len() + inside.len())
}

/// What a forge makes of a heading: small letters, hyphens for spaces, no punctuation.
fn anchor(heading: &str) -> String {
    let lower = heading.trim().to_lowercase();
    let kept = lower.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The second heading of the same words gets a number.
fn unique(seen: &mut HashMap<String, usize>, anchor: String) -> String {
    let count = seen.entry(anchor.clone()).and_modify(|count| *count += 1).or_insert(0);
    if *count == 0 { anchor } else { format!("{anchor}-{count}") }
}
