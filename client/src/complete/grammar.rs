//! What the table of commands expects at a place in a line.

use clap::{Arg, Command, ValueHint};

use crate::command::{REMOTE, is_folder};

/// What belongs in a place.
#[derive(Debug)]
pub(super) enum Expected<'t> {
    /// A command of this table.
    Command(&'t Command),
    /// An option of this command.
    Option(&'t Command),
    /// A path here.
    Local { folders_only: bool },
    /// A path on the server.
    Remote { folders_only: bool },
}

/// What belongs in the place of a word.
#[derive(Debug)]
pub(super) struct Wanted<'t> {
    pub(super) expected: Expected<'t>,
    /// What stays in front of it: the `--to=` of `--to=monday`.
    pub(super) lead: &'t str,
    /// What of the word it takes the place of.
    pub(super) text: &'t str,
}

/// What belongs in the place of `word`, behind the words `ahead`; `None` if that is nothing the
/// table knows.
pub(super) fn wanted<'t>(
    table: &'t Command,
    ahead: &[String],
    word: &'t str,
) -> Option<Wanted<'t>> {
    // What follows `!` is another shell's line; most of its words are names of files.
    if ahead.first().map_or(word, String::as_str).starts_with('!') {
        let (lead, text) = if ahead.is_empty() { word.split_at(1) } else { ("", word) };
        return Some(Wanted { expected: Expected::Local { folders_only: false }, lead, text });
    }
    let whole = |expected| Some(Wanted { expected, lead: "", text: word });
    let (mut command, mut ahead) = (table, ahead.iter());
    while command.has_subcommands() {
        let Some(name) = ahead.next() else { return whole(Expected::Command(command)) };
        command = command.find_subcommand(name)?;
    }
    let place = Place::behind(command, ahead);
    if let Some(option) = place.unanswered {
        return whole(path(option)?);
    }
    if !place.options_ended && word.starts_with('-') {
        let Some((name, text)) = word.split_once('=') else {
            return whole(Expected::Option(command));
        };
        let expected = path(option(command, name)?)?;
        return Some(Wanted { expected, lead: word.get(..=name.len())?, text });
    }
    whole(path(place.positional(command)?)?)
}

/// How far the arguments of a command have come.
#[derive(Debug, Default)]
struct Place<'t> {
    /// The last word was an option whose value comes next.
    unanswered: Option<&'t Arg>,
    /// After `--` everything is a value.
    options_ended: bool,
    /// How many values were given that belong to no option.
    values: usize,
}

impl<'t> Place<'t> {
    fn behind<'w>(command: &'t Command, words: impl Iterator<Item = &'w String>) -> Self {
        let mut place = Self::default();
        for word in words {
            if place.unanswered.take().is_some() {
                continue;
            }
            if place.options_ended || !word.starts_with('-') {
                place.values += 1;
            } else if word == "--" {
                place.options_ended = true;
            } else {
                place.unanswered = option(command, word).filter(|o| o.get_action().takes_values());
            }
        }
        place
    }

    /// The argument that the next value is for. The last may take many.
    fn positional(&self, command: &'t Command) -> Option<&'t Arg> {
        let takes_many = |arg: &&Arg| arg.get_num_args().is_some_and(|n| n.max_values() > 1);
        let nth = command.get_positionals().nth(self.values);
        nth.or_else(|| command.get_positionals().last().filter(takes_many))
    }
}

/// The option called so, long or short.
fn option<'t>(command: &'t Command, name: &str) -> Option<&'t Arg> {
    let short = |arg: &Arg| arg.get_short().is_some_and(|short| format!("-{short}") == name);
    let long = |arg: &Arg| arg.get_long().is_some_and(|long| format!("--{long}") == name);
    command.get_arguments().find(|arg| short(arg) || long(arg))
}

/// Where the paths are that this argument takes, if it takes any.
fn path(arg: &Arg) -> Option<Expected<'static>> {
    match arg.get_value_hint() {
        REMOTE => Some(Expected::Remote { folders_only: is_folder(arg) }),
        ValueHint::DirPath => Some(Expected::Local { folders_only: true }),
        ValueHint::FilePath | ValueHint::AnyPath => Some(Expected::Local { folders_only: false }),
        _ => None,
    }
}

/// An option as a page of help has it: `-r, --recursive`, `--to DIR`.
pub(super) fn spelling(arg: &Arg) -> String {
    let short = arg.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let long = arg.get_long().unwrap_or_default();
    let values = arg.get_value_names().filter(|_| arg.get_action().takes_values());
    let value = values.and_then(<[_]>::first).map(|name| format!(" {name}")).unwrap_or_default();
    format!("{short}--{long}{value}")
}

/// What an option is for, in a few words: its help up to where that goes into details.
pub(super) fn gist(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    help.split([',', ';', '.']).next().unwrap_or_default().to_owned()
}
