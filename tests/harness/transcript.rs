//! Transcripts in the documents, played again: what a page shows is what happens.
//!
//! A page is one story. Its `console` blocks are run from the top to the bottom in one shell, in a
//! folder that vanishes, on a stage (`stage.sh`) where `ferryd` serves in the background until the page
//! ends and `ferry` finds it. A line that begins with `$ ` is typed (and goes on in the next one
//! behind a `\`, or behind a `> ` in front), the lines below are what is shown. `…` alone stands for
//! any lines. What is never the same twice is not compared (`mask.rs`); in a block `console figures`
//! no number is. What has to be there before, and is of no interest to readers, is done in a comment
//! `<!-- offstage`.

mod mask;
mod shell;

use std::io;
use std::ops::Range;
use std::path::Path;

use similar::{Algorithm, DiffTag, TextDiff, capture_diff_slices};

use crate::page::Page;
use mask::masked;
use shell::Shell;

/// Stands for any lines.
const ANY: &str = "…";

/// A transcript whose page shows something else than what happened.
#[derive(Debug)]
pub struct Untrue {
    /// Which of the page's blocks it is.
    pub block: usize,
    /// What should stand there. What varies is as the page has it, where nothing else differs.
    pub happened: String,
    /// The differences, for people.
    pub difference: String,
}

/// Plays a page; `stage` is the program whose `main` plays `ferry` and `ferryd`, the other programs
/// are in its folder. What of the page is not true.
pub fn play(page: &Page, stage: &Path) -> io::Result<Vec<Untrue>> {
    let mut shell = Shell::open(stage)?;
    let mut untrue = Vec::new();
    for (number, block) in page.blocks.iter().enumerate() {
        let text = page.text_of(block);
        let place = format!("{}:{}", page.path.display(), block.line);
        if block.info == "offstage" {
            // Whatever fails there ends the shell, and so the story.
            let done = shell.run(&format!("set -e\n{text}\nset +e"));
            done.map_err(|error| io::Error::other(format!("{place}: offstage: {error}")))?;
        } else if block.is_transcript() {
            let mut happened = String::new();
            for exchange in
                exchanges(text).map_err(|why| io::Error::other(format!("{place}: {why}")))?
            {
                let (said, _) = shell.run(&exchange.command)?;
                happened.push_str(&exchange.typed);
                happened.push_str(&exchange.merged_with(&said, block.is_measured()));
            }
            if happened != text {
                let difference = TextDiff::from_lines(text, &happened);
                let difference =
                    difference.unified_diff().header(&place, "what happened").to_string();
                untrue.push(Untrue { block: number, happened, difference });
            }
        }
    }
    Ok(untrue)
}

/// What is typed, and what the page says comes of it.
#[derive(Debug, Default)]
struct Exchange {
    /// The lines as they stand on the page.
    typed: String,
    /// The same as the shell gets it.
    command: String,
    shown: Vec<String>,
}

fn exchanges(text: &str) -> Result<Vec<Exchange>, String> {
    let mut all: Vec<Exchange> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let next = line.strip_prefix("$ ").filter(|_| !goes_on);
        if next.is_some() {
            all.push(Exchange::default());
        }
        let exchange =
            all.last_mut().ok_or("a transcript begins with what is typed, behind `$ `")?;
        let more = if goes_on { Some(line) } else { line.strip_prefix("> ") };
        let more = more.filter(|_| exchange.shown.is_empty());
        if let Some(command) = next.or(more) {
            exchange.typed.extend([line, "\n"]);
            exchange.command.extend([command, "\n"]);
            goes_on = command.ends_with('\\');
        } else {
            exchange.shown.push(line.to_owned());
        }
    }
    Ok(all)
}

impl Exchange {
    /// The lines to show: those of the page where they are true, else those that came.
    fn merged_with(&self, said: &str, figures: bool) -> String {
        let mask = |line: &str| if line == ANY { ANY.to_owned() } else { masked(line, figures) };
        let came: Vec<&str> = said.lines().map(str::trim_end).collect();
        let [masked_came, masked_shown] =
            [came.clone(), self.shown.iter().map(String::as_str).collect::<Vec<_>>()]
                .map(|lines| lines.into_iter().map(mask).collect::<Vec<_>>());
        let mut merged: Vec<&str> = Vec::new();
        if fits(&masked_shown, &masked_came) {
            merged.extend(self.shown.iter().map(String::as_str));
        } else {
            let kept = |range| self.shown.get::<Range<usize>>(range).unwrap_or_default();
            for change in capture_diff_slices(Algorithm::Myers, &masked_shown, &masked_came) {
                let kept = kept(change.old_range()).iter().map(String::as_str);
                match change.tag() {
                    DiffTag::Equal => merged.extend(kept),
                    // What stood for any lines still does.
                    _ if kept.clone().any(|line| line == ANY) => merged.push(ANY),
                    _ => merged.extend(came.get(change.new_range()).unwrap_or_default()),
                }
            }
        }
        merged.into_iter().flat_map(|line| [line, "\n"]).collect()
    }
}

/// Whether lines came as they were to come.
fn fits(shown: &[String], came: &[String]) -> bool {
    match shown.split_first() {
        None => came.is_empty(),
        Some((first, rest)) if first == ANY => {
            (0..=came.len()).any(|skip| came.get(skip..).is_some_and(|came| fits(rest, came)))
        }
        Some((first, rest)) => {
            came.split_first().is_some_and(|(line, came)| line == first && fits(rest, came))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Exchange, exchanges};

    fn merged(shown: &str, said: &str) -> String {
        let shown = shown.lines().map(str::to_owned).collect();
        Exchange { shown, ..Exchange::default() }.merged_with(said, false)
    }

    #[test]
    fn what_is_true_stays_as_it_is_and_what_is_not_becomes_what_came() {
        assert_eq!(merged("a\n…\nin 3 s\n", "a\nb\nc\nin 9 s"), "a\n…\nin 3 s\n");
        assert_eq!(merged("a\nb\nin 3 s\n", "a\nc\nin 9 s\n"), "a\nc\nin 3 s\n");
        assert_eq!(merged("a\n…\nz\n", "b\nx\nz\n"), "…\nz\n");
        assert_eq!(merged("", "new\n"), "new\n");
    }

    #[test]
    fn what_is_typed_may_take_several_lines() {
        let all = exchanges("$ one \\\n  two\n> three\nshown\n> shown too\n$ four\n").unwrap();
        assert_eq!(all[0].command, "one \\\n  two\nthree\n");
        assert_eq!(all[0].shown, ["shown", "> shown too"]);
        assert_eq!(all[1].command, "four\n");
        assert!(exchanges("shown\n").is_err());
    }
}
