//! The documents, held to what they say.
//!
//! Every transcript is played again (`docs/transcripts.rs`). Every line of code that a page refers to
//! is there and holds what is quoted, every test that is named exists, every link leads somewhere.
//! The two languages go side by side. `UPDATE_DOCS=1 cargo test -p ferry-tests --test it docs::`
//! writes what happened into the transcripts, and moves references to where their lines are now.

mod evidence;
mod structure;
mod transcripts;

use std::ffi::OsStr;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use harness::page::{Page, root};
use walkdir::WalkDir;

/// What a translation lies in.
const CHINESE: &str = "docs/zh";

/// Every page, as in `docs/lab.md`, in order; the summary is the book's own.
fn pages() -> Vec<Page> {
    let is_page = |path: &Path| {
        let extension = path.extension().is_some_and(|extension| extension == "md");
        extension && path.file_name() != Some(OsStr::new("SUMMARY.md"))
    };
    let found = WalkDir::new(root().join("docs")).sort_by_file_name().into_iter();
    let paths = found.map(|entry| entry.unwrap().into_path()).filter(|path| is_page(path));
    let front = ["README.md", "CONTRIBUTING.md"].map(|name| root().join(name));
    let paths = paths.chain(front).map(|path| path.strip_prefix(root()).unwrap().to_owned());
    paths.map(|path| Page::read(&path).unwrap()).collect()
}

/// Whether the pages are to be made true, rather than found untrue.
fn updates() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some_and(|value| !value.is_empty())
}

/// Puts other texts in some places of a page, of which it may have been asked elsewhere, too.
fn edit(path: &Path, find: impl FnOnce(&Page) -> Vec<(Range<usize>, String)>) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut page = Page::read(path).unwrap();
    let mut edits = find(&page);
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, text) in edits {
        page.text.replace_range(range, &text);
    }
    fs::write(root().join(path), page.text).unwrap();
}

/// What a page is translated from, and the page in Chinese. A Chinese page may say in a comment
/// `<!-- not yet translated: HEADING; HEADING -->` which sections of the other it has not.
fn translation(page: &Page) -> Option<(Page, Page)> {
    let inside = page.path.strip_prefix("docs").ok().filter(|path| !path.starts_with("zh"))?;
    let chinese = Page::read(&Path::new(CHINESE).join(inside)).ok()?;
    let (_, behind) = chinese.text.split_once("<!-- not yet translated: ").unwrap_or_default();
    let (missing, _) = behind.split_once(" -->").unwrap_or_default();
    let missing: Vec<&str> = missing.split("; ").collect();
    Some((page.without(&missing), chinese))
}
