//! Every transcript of every page, played again; a test for each page, so that they run side by side.

use std::path::Path;
use std::process::Command;

use harness::page::{Block, Page};
use harness::transcript;

use super::{CHINESE, edit, pages, translation, updates};
use crate::people::stage;

macro_rules! pages_with_transcripts {
    ($($name:ident: $path:literal $(with $needed:literal)*),+ $(,)?) => {
        /// Every page that is played.
        const PLAYED: &[&str] = &[$($path),+];

        $(
            #[test]
            fn $name() {
                plays($path, &[$($needed),*]);
            }
        )+
    };
}

pages_with_transcripts! {
    the_readme_shows_what_happens: "README.md",
    the_user_manual_shows_what_happens: "docs/user-manual.md",
    the_lab_shows_what_happens: "docs/lab.md" with "python3" with "strace",
    lesson_1_shows_what_happens: "docs/lessons/1-framing.md",
    lesson_2_shows_what_happens: "docs/lessons/2-iterative.md",
    lesson_3_shows_what_happens: "docs/lessons/3-process.md",
    lesson_4_shows_what_happens: "docs/lessons/4-threads.md",
    lesson_5_shows_what_happens: "docs/lessons/5-claims.md",
    lesson_7_shows_what_happens: "docs/lessons/7-select.md",
    lesson_8_shows_what_happens: "docs/lessons/8-measuring.md",
    the_exercises_show_what_happens: "docs/exercises.md",
    the_protocol_shows_what_happens: "docs/protocol.md" with "python3",
}

/// Plays a page, for which some programs are needed besides ours.
#[track_caller]
fn plays(path: &str, needed: &[&str]) {
    let is_there = |program: &&&str| Command::new(program).arg("--version").output().is_ok();
    if let Some(missing) = needed.iter().find(|program| !is_there(program)) {
        return harness::skipped(path, missing);
    }
    let path = Path::new(path);
    let page = Page::read(path).unwrap();
    let untrue = transcript::play(&page, stage()).unwrap();
    if !updates() {
        let differences: String = untrue.iter().map(|block| block.difference.as_str()).collect();
        assert!(
            untrue.is_empty(),
            "{} shows something else than what happens (UPDATE_DOCS=1 writes it):\n{differences}",
            path.display()
        );
    } else if !untrue.is_empty() {
        edit(path, |page| {
            let happened = untrue.iter().map(|block| block.happened.clone());
            untrue.iter().map(|b| page.blocks[b.block].range.clone()).zip(happened).collect()
        });
    }
}

#[test]
fn every_page_with_a_transcript_is_played() {
    for page in pages().iter().filter(|page| !page.path.starts_with(CHINESE)) {
        let has_one = page.blocks.iter().any(Block::is_transcript);
        let is_played = PLAYED.iter().any(|path| page.path == Path::new(path));
        assert!(
            has_one == is_played,
            "{}: transcript {has_one}, played {is_played}",
            page.path.display()
        );
    }
}

/// What was played in one language is what stands in the other.
#[test]
fn both_languages_show_the_same_transcripts() {
    for page in pages() {
        let Some((page, other)) = translation(&page) else { continue };
        let transcripts = |page: &Page| -> Vec<(String, String)> {
            page.scenes().map(|b| (b.info.clone(), page.text_of(b).to_owned())).collect()
        };
        let [here, there] = [&page, &other].map(transcripts);
        let names = format!("{} and {}", page.path.display(), other.path.display());
        assert_eq!(here.len(), there.len(), "{names} have not as many transcripts");
        if updates() {
            edit(&other.path, |other| {
                let places = other.scenes().map(|block| block.range.clone());
                places.zip(here.into_iter().map(|(_, text)| text)).collect()
            });
            continue;
        }
        for (one, two) in here.iter().zip(&there) {
            assert_eq!(one, two, "{names} (UPDATE_DOCS=1 copies it)");
        }
    }
}
