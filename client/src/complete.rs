//! What Tab offers, and the grey rest of a line typed before.
//!
//! ```text
//!  get "mon<Tab>
//!   │    └─ words: the word to complete, and how it is quoted
//!   └────── grammar: what the table of commands expects in its place
//!              ├─ a command, an option      from the table
//!              ├─ a path here               local
//!              └─ a path on the server      remote: asked over a connection of its own
//! ```
//!
//! Nobody waits here for a server longer than [`remote::PATIENCE`], and nothing is offered that
//! could not be typed or that a terminal would obey.

mod grammar;
mod local;
mod names;
mod remote;
mod words;

use std::borrow::Cow;

use common::escape::Safe;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use self::grammar::{Expected, Wanted};
use self::names::Names;
use self::remote::Remote;
use self::words::Word;
use crate::command::Line;
use crate::link::Lookout;

/// The line editor's adviser.
#[derive(Debug)]
pub(crate) struct Adviser {
    table: clap::Command,
    remote: Remote,
    history: History,
    /// Lines are said in the room, but for those with a `/` in front.
    chatting: bool,
}

/// Lines typed before. (The crate's hinter cannot be shown by `Debug`.)
struct History(HistoryHinter);

impl Adviser {
    /// Knows the commands, and no server yet.
    pub(crate) fn new() -> Self {
        let mut table = Line::table();
        table.build();
        Self {
            table,
            remote: Remote::default(),
            history: History(HistoryHinter::new()),
            chatting: false,
        }
    }

    /// For the next line, looks at the server from here. What was seen before is forgotten: the
    /// line before may have changed it.
    pub(crate) fn look_from(&mut self, lookout: Option<Lookout>, chatting: bool) {
        self.remote = Remote::new(lookout);
        self.chatting = chatting;
    }

    pub(crate) fn is_chatting(&self) -> bool {
        self.chatting
    }

    /// Where the word before the cursor begins, and what it may become.
    fn advice(&self, before: &str) -> Option<(usize, Vec<Pair>)> {
        let (slash, command) = match before.strip_prefix('/') {
            Some(command) => (1, command),
            None if self.chatting => return None,
            None => (0, before),
        };
        let (start, pairs) = self.command_advice(command)?;
        Some((slash + start, pairs))
    }

    fn command_advice(&self, before: &str) -> Option<(usize, Vec<Pair>)> {
        let (ahead, word) = words::split(before)?;
        let wanted = grammar::wanted(&self.table, &ahead, &word.text)?;
        let pairs = match wanted.expected {
            Expected::Command(table) => commands(table, &word),
            Expected::Option(command) => options(command, &ahead, &word),
            // Its names are asked for behind the slash.
            Expected::Local { .. } if wanted.text == "~" => {
                let typed = format!("{}~/", wanted.lead);
                vec![Pair { display: "~/".into(), replacement: word.begin(&typed) }]
            }
            Expected::Local { folders_only } => {
                let (folder, prefix) = folder_and_prefix(wanted.text);
                paths(&local::names(folder, prefix), folders_only, &wanted, &word)
            }
            Expected::Remote { folders_only } => {
                let (folder, prefix) = folder_and_prefix(wanted.text);
                paths(&self.remote.names(folder, prefix)?, folders_only, &wanted, &word)
            }
        };
        Some((word.start, pairs))
    }
}

/// Aliases are offered to who begins to type one, and not to who asks what there is.
fn commands(table: &clap::Command, word: &Word) -> Vec<Pair> {
    let names = table.get_subcommands().flat_map(|command| {
        let aliases = command.get_visible_aliases().filter(|_| !word.text.is_empty());
        std::iter::once(command.get_name()).chain(aliases)
    });
    let mut names: Vec<&str> = names.filter(|name| name.starts_with(&word.text)).collect();
    names.sort_unstable();
    names.into_iter().map(|name| whole(name.to_owned(), name, word)).collect()
}

/// Each with what it does. Those that stand in the line already are done with.
fn options(command: &clap::Command, ahead: &[String], word: &Word) -> Vec<Pair> {
    let fits = |arg: &&clap::Arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        long.is_some_and(|long| long.starts_with(&word.text) && !ahead.contains(&long))
    };
    let spelled = command.get_arguments().filter(fits).map(|arg| (grammar::spelling(arg), arg));
    let spelled: Vec<_> = spelled.collect();
    let width = spelled.iter().map(|(spelling, _)| spelling.len()).max().unwrap_or(0);
    let pairs = spelled.into_iter().map(|(spelling, arg)| {
        let long = arg.get_long().unwrap_or_default();
        let shown = format!("{spelling:<width$}  {}", grammar::gist(arg));
        whole(shown, &format!("--{long}"), word)
    });
    pairs.collect()
}

/// The names, behind the folder that was typed.
fn paths(names: &Names, folders_only: bool, wanted: &Wanted, word: &Word) -> Vec<Pair> {
    let (folder, _) = folder_and_prefix(wanted.text);
    let fitting = names.found.iter().filter(|found| found.is_folder || !folders_only);
    let mut pairs: Vec<Pair> = fitting
        .map(|found| {
            let (lead, name) = (wanted.lead, found.name.as_str());
            // A name that looks like an option, or as home, is a name behind a folder.
            let is_mistaken = (lead.is_empty() && name.starts_with('-')) || name == "~";
            let dot = if folder.is_empty() && is_mistaken { "./" } else { "" };
            let path = format!("{lead}{dot}{folder}{name}");
            let shown = Safe(name).to_string();
            if found.is_folder {
                let path = format!("{path}/");
                Pair { display: format!("{shown}/"), replacement: word.begin(&path) }
            } else {
                whole(shown, &path, word)
            }
        })
        .collect();
    if names.is_cut {
        // What was typed is the beginning of all there are, so the word stays as it is.
        let display = format!("… more than these {}; type on", pairs.len());
        pairs.push(Pair { display, replacement: word.begin(&word.text) });
    }
    pairs
}

/// A word that is complete: a space follows.
fn whole(display: String, text: &str, word: &Word) -> Pair {
    Pair { display, replacement: word.end(text) }
}

/// A path being typed: the folder, up to its last slash, and how the name in it begins.
fn folder_and_prefix(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
}

impl Completer for Adviser {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        // Whatever is wrong is no reason to end the line: there is just nothing to offer.
        let before = line.get(..pos).unwrap_or(line);
        Ok(self.advice(before).unwrap_or((pos, Vec::new())))
    }
}

impl Hinter for Adviser {
    type Hint = String;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<String> {
        if self.chatting { None } else { self.history.0.hint(line, pos, context) }
    }
}

impl Highlighter for Adviser {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        // Bright black, which is grey.
        Cow::Owned(format!("\x1b[90m{hint}\x1b[0m"))
    }
}

impl Validator for Adviser {}

impl Helper for Adviser {}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("History")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> Vec<String> {
        let advice = Adviser::new().advice(line);
        let pairs = advice.map(|(_, pairs)| pairs).unwrap_or_default();
        pairs.into_iter().map(|pair| pair.replacement).collect()
    }

    #[test]
    fn commands_are_offered_where_one_is_due() {
        assert_eq!(offered("pu"), ["put "]);
        assert_eq!(offered("help pu"), ["put "]);
        assert_eq!(offered("l"), ["lcd ", "list ", "lls ", "login ", "lpwd ", "ls "]);
        assert!(offered("").contains(&"help ".to_owned()));
        assert!(!offered("").contains(&"ls ".to_owned()));
        for nothing in ["nonsense ", "who a", "put a # pu", "help put a"] {
            assert_eq!(offered(nothing), [""; 0], "{nothing:?}");
        }
    }

    #[test]
    fn in_the_room_only_commands_are_completed() {
        let mut adviser = Adviser::new();
        adviser.look_from(None, true);
        assert!(adviser.advice("pu").is_none());
        let (start, pairs) = adviser.advice("/pu").unwrap();
        assert_eq!((start, pairs.len(), pairs[0].replacement.as_str()), (1, 1, "put "));
    }

    #[test]
    fn options_are_offered_with_what_they_do_and_only_once() {
        assert_eq!(offered("put --n"), ["--no-resume "]);
        assert_eq!(offered("put a --force --fo"), [""; 0]);
        assert_eq!(offered("put --wait --fo"), [""; 0]);
        assert_eq!(offered("put -- --fo"), [""; 0]);
        let (_, pairs) = Adviser::new().advice("ls -").unwrap();
        let shown: Vec<&str> = pairs.iter().map(|pair| pair.display.as_str()).collect();
        let recursive = "-r, --recursive  Show the folders within it too";
        assert!(shown.contains(&recursive), "{shown:?}");
    }

    #[test]
    fn local_paths_are_offered_as_they_can_be_typed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["笔记 1.txt", "笔记 2.txt", ".hidden", "it's", "a\u{1b}]0;x\u{7}", "-r"] {
            std::fs::write(at(name), "").unwrap();
        }
        std::fs::create_dir(at("monday slides")).unwrap();
        let here = folder.path().to_str().unwrap();
        let offered = |typed: &str| offered(&typed.replace("HERE", here));
        let path = |text: &str| text.replace("HERE", here);
        assert_eq!(
            offered("put HERE/笔记"),
            [path(r"HERE/笔记\ 1.txt "), path(r"HERE/笔记\ 2.txt ")]
        );
        assert_eq!(offered("put 'HERE/it"), [path(r"'HERE/it'\''s' ")]);
        assert_eq!(offered("put \"HERE/mo"), [path("\"HERE/monday slides/")]);
        assert_eq!(offered("lcd HERE/"), [path(r"HERE/monday\ slides/")]);
        assert_eq!(offered("get a --to=HERE/m"), [path(r"--to=HERE/monday\ slides/")]);
        assert_eq!(offered("put HERE/.h"), [path("HERE/.hidden ")]);
        assert_eq!(offered("put HERE/a"), [""; 0]);
        assert_eq!(offered("! cat HERE/it"), [path(r"HERE/it\'s ")]);
        for (line, rest) in [("lcd ~", "~/"), ("get a --to=~", "--to=~/"), ("! ls ~", "~/")] {
            assert_eq!(offered(line), [rest]);
        }
    }
}
