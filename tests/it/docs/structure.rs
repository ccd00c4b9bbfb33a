//! How the pages hang together: the book has all of them, links lead somewhere, both languages have
//! the same headings, lessons the same parts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use harness::page::{Heading, Page, root};

use super::{pages, translation};

/// The parts of a lesson, in this order. The Chinese page has the same, for it has the same headings.
const PARTS: [&str; 6] = ["Goal", "Predict", "Run", "Explanation", "In Ferry", "Exercise"];

#[test]
fn the_summary_has_every_page_once_and_no_other() {
    let summary = Page::read(Path::new("docs/SUMMARY.md")).unwrap();
    let listed: Vec<PathBuf> = summary
        .links
        .iter()
        .filter_map(|link| Some(summary.destination(&link.target)?.0))
        .collect();
    let once: BTreeSet<&PathBuf> = listed.iter().collect();
    assert_eq!(once.len(), listed.len(), "a page is there twice: {listed:?}");
    let pages = pages();
    let of_the_book = pages.iter().filter(|page| is_of_the_book(page));
    let there: BTreeSet<&PathBuf> = of_the_book.map(|page| &page.path).collect();
    let [forgotten, missing] =
        [there.difference(&once), once.difference(&there)].map(Vec::from_iter);
    assert!(
        forgotten.is_empty() && missing.is_empty(),
        "not in it: {forgotten:?}; no page: {missing:?}"
    );
}

/// A front page is the forge's, in either language, and no page of the book.
fn is_of_the_book(page: &Page) -> bool {
    page.path.starts_with("docs") && !page.path.ends_with("README.md")
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut wrong = Vec::new();
    for page in &pages {
        for link in &page.links {
            let Some((path, anchor)) = page.destination(&link.target) else { continue };
            let leads = match pages.iter().find(|page| page.path == path) {
                // A link to what is Markdown, the book takes for one to a page of its own.
                Some(other) if is_of_the_book(page) && !is_of_the_book(other) => false,
                Some(other) if !anchor.is_empty() => {
                    other.headings.iter().any(|heading| heading.anchor == anchor)
                }
                _ => root().join(&path).exists(),
            };
            if !leads {
                wrong.push(format!("{}:{}: {}", page.path.display(), link.line, link.target));
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn both_languages_have_the_same_headings() {
    for page in pages() {
        let Some((page, other)) = translation(&page) else { continue };
        let outline = |page: &Page| page.headings.iter().map(|h| h.level).collect::<Vec<_>>();
        let side_by_side = || {
            let text = |h: Option<&Heading>| {
                h.map_or("–".to_owned(), |h| format!("{} {}", "#".repeat(h.level), h.text))
            };
            let rows = page.headings.len().max(other.headings.len());
            let row =
                |n| format!("{} | {}", text(page.headings.get(n)), text(other.headings.get(n)));
            (0..rows).map(row).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(outline(&page), outline(&other), "{}", side_by_side());
    }
}

#[test]
fn every_lesson_says_how_long_it_takes_and_has_its_parts_in_order() {
    let pages = pages();
    let lessons = pages.iter().filter(|page| page.path.starts_with("docs/lessons"));
    for lesson in lessons {
        let second = lesson.headings.iter().filter(|heading| heading.level == 2);
        let parts: Vec<&str> = second.map(|heading| heading.text.as_str()).collect();
        let says = lesson.text.lines().any(|line| line.starts_with("Minutes: "));
        assert!(says, "{} has no line `Minutes: …`", lesson.path.display());
        assert_eq!(parts, PARTS, "{}", lesson.path.display());
    }
}

/// What two people write into two tables at once, and is put together by a program, can end up in a third
/// place, where it is no row of anything.
#[test]
fn every_row_stands_in_a_table_and_has_its_cells() {
    let mut wrong = Vec::new();
    for page in &pages() {
        let mut columns = None::<usize>;
        let mut is_code = false;
        let lines: Vec<&str> = page.text.lines().map(str::trim_start).collect();
        for (nth, line) in lines.iter().enumerate() {
            is_code ^= line.starts_with("```");
            if is_code || !line.starts_with('|') {
                columns = None;
                continue;
            }
            let is_head = || lines.get(nth + 1).is_some_and(|next| next.starts_with("|--"));
            let own = cells(line);
            if columns != Some(own) && (columns.is_some() || !is_head()) {
                wrong.push(format!("{}:{}: {line}", page.path.display(), nth + 1));
            }
            columns = Some(own);
        }
    }
    assert!(wrong.is_empty(), "these are no rows of their tables:\n{}", wrong.join("\n"));
}

/// How many cells a row has.
fn cells(row: &str) -> usize {
    row.replace("\\|", "").matches('|').count().saturating_sub(1)
}
