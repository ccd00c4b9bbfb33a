//! The one table of what the console understands. The prompt, `ADMIN` and the help are all derived
//! from it, so none can know a command that another does not.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::brakes::Rate;
use crate::class;
use crate::point::SleepAt;

/// The longest time in which a stop can be asked for.
const DELAY_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A line at the console: a command without a program's name in front.
///
/// Its help is the list of commands alone.
#[derive(Debug, Parser)]
#[command(multicall = true, help_template = "{subcommands}{after-help}")]
#[command(override_usage = "COMMAND [ARGUMENTS]")]
#[command(after_help = "`help COMMAND` says more. At the server's own terminal Ctrl-C stops the \
                        server, and Ctrl-D closes the console.")]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// What can be asked of the console.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
#[command(disable_help_flag = true)]
pub(super) enum Command {
    /// Speak to everybody as the administrator, in the room and at every prompt
    #[command(after_help = "Example:\n  say it's time: put your files")]
    Say {
        /// One line; it needs no quotes
        text: String,
    },

    /// Show who is connected, from where, and what their threads do
    Who,

    /// End the sessions of a user, of a guest in the room, or the one of that number
    #[command(after_help = "Examples:\n  kick xiaoyu\n  kick c07")]
    Kick {
        /// A name, or a session as `who` shows it
        #[arg(value_name = "NAME|SESSION")]
        whom: String,
    },

    /// Show which files are being written, by whom, how far, and who waits for them
    Files,

    /// Show what the server has done since it began
    Stats,

    /// Show all accounts, and who of them is here
    Users,

    /// Put a question to the vote, or go on with it
    #[command(
        after_help = "Examples:\n  ask \"will both uploads survive?\" yes no\n  ask again\n  \
                            ask close"
    )]
    Ask(Ask),

    /// Show how the vote stands
    Tally,

    /// In class mode: have threads sleep at a place; without one, show all places
    #[command(
        after_help = "Examples:\n  sleep-at put.checked=3s\n  sleep-at put.checked=3s,c02   \
                            only that session\n  sleep-at put.checked=0        who sleeps there wakes"
    )]
    SleepAt {
        /// Where, and for how long: seconds (3s) or milliseconds (500ms)
        #[arg(value_name = "PLACE=TIME")]
        at: Option<SleepAt>,
    },

    /// In class mode: write uploads no faster than this; without a rate, show it
    #[command(after_help = "Examples:\n  disk-rate 256K\n  disk-rate off")]
    DiskRate {
        /// Bytes a second, all uploads together
        #[arg(value_name = "RATE|off", value_parser = speed)]
        rate: Option<Speed>,
    },

    /// Stop the server: now, or in a while; everybody is told
    #[command(after_help = "Examples:\n  shutdown\n  shutdown in 5m\n  shutdown cancel")]
    #[command(disable_help_subcommand = true)]
    Shutdown {
        #[command(subcommand)]
        when: Option<When>,
    },
}

/// A question, or what to do with the last one.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(disable_help_subcommand = true)]
pub(super) struct Ask {
    #[command(subcommand)]
    pub(super) step: Option<Step>,
    /// What is asked, in quotes
    #[arg(required = true)]
    pub(super) question: Option<String>,
    /// What can be chosen, two or more
    #[arg(required = true, num_args = 2.., value_name = "CHOICE")]
    pub(super) choices: Vec<String>,
}

/// What comes after a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(super) enum Step {
    /// Ask the same once more, from nought
    Again,
    /// Take no more votes, and keep the result
    Close,
}

/// How fast a disk is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speed {
    /// No faster than this.
    AtMost(Rate),
    /// As fast as it is.
    Full,
}

/// When the server is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(super) enum When {
    /// In a while
    In {
        /// As in 30s, 5m or 2h
        #[arg(value_parser = delay)]
        time: Duration,
    },
    /// At once
    Now,
    /// Not after all
    Cancel,
}

/// Reads a line; none if there is nothing on it.
pub(super) fn read(line: &str) -> Result<Option<Command>, clap::Error> {
    let words = words(line).ok_or_else(|| {
        let message = "a quote in this line has no end\n";
        clap::Error::raw(clap::error::ErrorKind::InvalidValue, message)
    })?;
    if words.is_empty() { Ok(None) } else { Ok(Some(Line::try_parse_from(words)?.command)) }
}

/// The words of a line, as a shell would see them. What is to be said is no words but a text: its
/// apostrophes open no quotes. Still, whoever puts all of it into quotes means what is in them.
fn words(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let Some(text) = line.strip_prefix("say ").map(str::trim) else {
        return shell_words::split(line).ok();
    };
    let quoted = match shell_words::split(text) {
        Ok(mut words) if words.len() == 1 && text.starts_with(['"', '\'']) => words.pop(),
        _ => None,
    };
    // `--` goes before it: no text is an option.
    Some(vec!["say".into(), "--".into(), quoted.unwrap_or_else(|| text.into())])
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "off" { Ok(Speed::Full) } else { class::disk_rate(text).map(Speed::AtMost) }
}

fn delay(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" | "sec" => Some(1),
        "m" | "min" => Some(60),
        "h" => Some(60 * 60),
        _ => None,
    };
    let seconds = digits.parse::<u64>().ok().zip(unit).and_then(|(n, unit)| n.checked_mul(unit));
    let time = seconds.map(Duration::from_secs).filter(|time| *time <= DELAY_MAX);
    time.ok_or_else(|| "write it as 30s, 5m or 2h; at most 24h".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(line: &str) -> Command {
        read(line).unwrap().unwrap()
    }

    #[test]
    fn what_is_said_needs_no_quotes_and_has_its_own_if_it_likes() {
        for (line, text) in [
            ("say hello  world", "hello  world"),
            ("  say it's time ", "it's time"),
            ("say \"in quotes\"", "in quotes"),
            ("say 'a' or 'b'", "'a' or 'b'"),
            ("say --help", "--help"),
            ("say \"no end", "\"no end"),
        ] {
            assert_eq!(understood(line), Command::Say { text: text.into() }, "{line}");
        }
        assert!(read("say").is_err());
    }

    #[test]
    fn a_question_has_two_choices_or_more_and_two_words_go_on_with_it() {
        let asked = |question: &str, choices: &[&str]| {
            let choices = choices.iter().map(ToString::to_string).collect();
            Command::Ask(Ask { step: None, question: Some(question.into()), choices })
        };
        let next =
            |step| Command::Ask(Ask { step: Some(step), question: None, choices: Vec::new() });
        assert_eq!(
            understood("ask 'both survive?' yes no"),
            asked("both survive?", &["yes", "no"])
        );
        assert_eq!(understood("ask \"again?\" yes no"), asked("again?", &["yes", "no"]));
        assert_eq!(understood("ask help yes no"), asked("help", &["yes", "no"]));
        assert_eq!(understood("ask again"), next(Step::Again));
        assert_eq!(understood("ask close"), next(Step::Close));
        for bad in ["ask", "ask 'both?'", "ask 'both?' yes", "ask close now", "ask 'both? yes no"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_stop_is_now_or_in_some_time_that_has_a_unit() {
        let stop = |when| Command::Shutdown { when };
        let in_seconds = |s| stop(Some(When::In { time: Duration::from_secs(s) }));
        assert_eq!(understood("shutdown"), stop(None));
        assert_eq!(understood("shutdown now"), stop(Some(When::Now)));
        assert_eq!(understood("shutdown cancel"), stop(Some(When::Cancel)));
        assert_eq!(understood("shutdown in 90s"), in_seconds(90));
        assert_eq!(understood("shutdown in 5m"), in_seconds(300));
        assert_eq!(understood("shutdown in 24h"), in_seconds(86_400));
        for bad in ["5", "5 m", "m", "25h", "-5m", "18446744073709551615h", "5d", "5分"] {
            assert!(read(&format!("shutdown in {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_line_asks_for_nothing_and_help_knows_every_command() {
        assert_eq!(read("  ").unwrap(), None);
        let help = read("help").unwrap_err();
        assert!(!help.use_stderr());
        for word in [
            "say",
            "who",
            "kick",
            "files",
            "stats",
            "users",
            "ask",
            "tally",
            "sleep-at",
            "disk-rate",
            "shutdown",
        ] {
            assert!(help.to_string().contains(word), "{word}");
            assert!(!read(&format!("help {word}")).unwrap_err().use_stderr(), "{word}");
        }
    }
}
