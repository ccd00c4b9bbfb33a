//! Sizes, times and listings as text. Nothing here prints.
//!
//! Names come last in a line, so that no name, however wide its characters, moves a column.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use common::escape::{Safe, is_unprintable};
use common::protocol::{Details, Entry, Identity, Kind, Stat};
use common::room::{Choice, Tally};
pub(crate) use common::size::size;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::error::Error;

/// `2026-11-19 14:02`, on the reader's clock.
pub(crate) fn time(mtime: i64) -> String {
    time_in(mtime, TimeZone::system())
}

/// `14:02` if that is today, else with the day.
pub(crate) fn moment(at: i64) -> String {
    let today = Zoned::now().strftime("%Y-%m-%d ").to_string();
    let time = time(at);
    time.strip_prefix(&today).map(str::to_owned).unwrap_or(time)
}

/// The same on the clock of `zone`.
pub(crate) fn time_in(mtime: i64, zone: TimeZone) -> String {
    time_as("%Y-%m-%d %H:%M", mtime, zone)
}

/// `2026-11-19 14:02:00+08:00`.
fn exact_time(mtime: i64, zone: TimeZone) -> String {
    time_as("%Y-%m-%d %H:%M:%S%:z", mtime, zone)
}

fn time_as(format: &str, mtime: i64, zone: TimeZone) -> String {
    match Timestamp::from_second(mtime) {
        Ok(time) => time.to_zoned(zone).strftime(format).to_string(),
        // A time of no calendar's; a file may carry any number.
        Err(_) => format!("{mtime} s"),
    }
}

/// This moment on the reader's clock, and how far that is from everybody's.
pub(crate) fn now() -> String {
    Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// JSON, harmless on a terminal. serde escapes what JSON must; a terminal obeys more than that
/// (DEL, C1, directions), and JSON may write any character as `\uXXXX`: the same text to a
/// program. All of these are below U+10000, and none stands outside a string.
pub(crate) fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unprintable(c) {
            // A `String` takes whatever is written.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A local path. It too may hold what somebody else chose to call a file.
pub(crate) fn local(path: &Path) -> String {
    Safe(&path.to_string_lossy()).to_string()
}

/// What `list` and `stat` show of an entry, its size right-aligned to `width`.
pub(crate) fn entry(name: &str, stat: &Stat, width: usize) -> String {
    let (size, time) = (entry_size(stat), time(stat.mtime));
    format!("{size:>width$}  {time:<16}  {}", entry_name(name, stat))
}

/// The same to the byte and to the second.
fn exact_entry(name: &str, stat: &Stat, width: usize) -> String {
    let (size, time) = (exact_size(stat), exact_time(stat.mtime, TimeZone::system()));
    format!("{size:>width$}  {time:<25}  {}", entry_name(name, stat))
}

fn entry_name(name: &str, stat: &Stat) -> String {
    let slash = if stat.kind == Kind::Folder && !name.ends_with('/') { "/" } else { "" };
    format!("{}{slash}", Safe(name))
}

/// How a listing looks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    /// The number of its first entry, if they are numbered.
    pub(crate) first: Option<usize>,
    /// Sizes to the byte and times to the second.
    pub(crate) exact: bool,
}

/// A line for each entry.
pub(crate) fn listing(out: &mut dyn io::Write, entries: &[Entry], look: Look) -> io::Result<()> {
    let sizes =
        entries.iter().map(|entry| if look.exact { exact_size } else { entry_size }(&entry.stat));
    let width = sizes.map(|size| size.len()).max().unwrap_or(0);
    let last = look.first.unwrap_or(0) + entries.len().saturating_sub(1);
    let digits = last.to_string().len();
    for (nth, Entry { name, stat }) in entries.iter().enumerate() {
        if let Some(first) = look.first {
            write!(out, "{:>digits$}  ", first + nth)?;
        }
        let line =
            if look.exact { exact_entry(name, stat, width) } else { entry(name, stat, width) };
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// What `stat` shows: of a home also how full it is.
pub(crate) fn details(name: &str, details: &Details, width: usize) -> String {
    let entry = entry(name, &details.stat, width);
    match usage(details.used, details.quota) {
        Some(usage) => format!("{entry}  {usage}"),
        None => entry,
    }
}

/// `xiaoyu (user), used 1.2 MB of 10.0 MB (8.8 MB left)`.
pub(crate) fn identity(identity: &Identity) -> String {
    let Identity { user, role, quota, used } = identity;
    let who = format!("{} ({role})", Safe(user));
    match usage(*used, *quota) {
        Some(usage) => format!("{who}, {usage}"),
        None => who,
    }
}

/// `yes 3, no 1`, as it came.
pub(crate) fn counts(choices: &[Choice]) -> String {
    let counts = choices.iter().map(|Choice { choice, votes }| format!("{choice} {votes}"));
    counts.collect::<Vec<_>>().join(", ")
}

/// `both? yes 3, no 1 (round 2, open)`.
pub(crate) fn tally(tally: &Tally) -> String {
    let (question, counts) = (Safe(&tally.question), counts(&tally.choices));
    let state = if tally.open { "open" } else { "over" };
    format!("{question} {} (round {}, {state})", Safe(&counts), tally.round)
}

/// How full a home is, where that is known.
fn usage(used: Option<u64>, quota: Option<u64>) -> Option<String> {
    let used = used?;
    let Some(quota) = quota else { return Some(format!("used {}", size(used))) };
    let left = quota.saturating_sub(used);
    Some(format!("used {} of {} ({} left)", size(used), size(quota), size(left)))
}

/// How a failure is called where programs read it: the protocol's word.
pub(crate) fn status(error: &Error) -> &'static str {
    if error.exit_status() == 5 { "EXISTS" } else { "FAIL" }
}

/// A folder's own size means nothing to anybody.
fn entry_size(stat: &Stat) -> String {
    if stat.kind == Kind::Folder { "-".into() } else { size(stat.size) }
}

fn exact_size(stat: &Stat) -> String {
    if stat.kind == Kind::Folder { "-".into() } else { stat.size.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_is_some_time() {
        assert_eq!(time_in(1_795_096_920, TimeZone::UTC), "2026-11-19 14:02");
        assert_eq!(time_in(-1, TimeZone::UTC), "1969-12-31 23:59");
        assert_eq!(time_in(i64::MAX, TimeZone::UTC), "9223372036854775807 s");
    }

    #[test]
    fn a_listing_is_aligned_and_harmless() {
        let stat = |kind, size| Stat { kind, size, mtime: 0 };
        let entries = [
            Entry { name: "sub".into(), stat: stat(Kind::Folder, 4096) },
            Entry { name: "a\u{1b}[2J".into(), stat: stat(Kind::File, 12_400_000) },
        ];
        let mut out = Vec::new();
        listing(&mut out, &entries, Look::default()).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("      -  ") && lines[0].ends_with("  sub/"), "{text}");
        assert!(lines[1].starts_with("12.4 MB  ") && lines[1].ends_with(r"  a\u{1b}[2J"), "{text}");
    }

    #[test]
    fn a_listing_may_be_numbered_and_exact() {
        let entry = |name: &str, size| {
            let stat = Stat { kind: Kind::File, size, mtime: 0 };
            Entry { name: name.into(), stat }
        };
        let entries = [entry("a", 1_234_567), entry("b", 8)];
        let shown = |look| {
            let mut out = Vec::new();
            listing(&mut out, &entries, look).unwrap();
            String::from_utf8(out).unwrap()
        };
        let numbered = shown(Look { first: Some(9), exact: false });
        assert!(numbered.starts_with(" 9  1.2 MB  19") && numbered.contains("\n10     8 B  19"));
        let exact = shown(Look { first: None, exact: true });
        assert!(exact.starts_with("1234567  19") && exact.contains("\n      8  19"), "{exact}");
        assert_eq!(exact_time(-1, TimeZone::UTC), "1969-12-31 23:59:59+00:00");
    }

    #[test]
    fn a_home_says_how_full_it_is() {
        let role = common::protocol::Role::User;
        let who = |quota, used| Identity { user: "xiaoyu".into(), role, quota, used };
        for (quota, used, shown) in [
            (Some(10_000), Some(1200), "xiaoyu (user), used 1.2 kB of 10.0 kB (8.8 kB left)"),
            (Some(10), Some(1200), "xiaoyu (user), used 1.2 kB of 10 B (0 B left)"),
            (None, Some(0), "xiaoyu (user), used 0 B"),
            (None, None, "xiaoyu (user)"),
        ] {
            assert_eq!(identity(&who(quota, used)), shown);
        }
    }

    #[test]
    fn json_is_harmless_and_still_the_same_text() {
        let name = "a\u{9b}b\u{202e}c\u{7f}\n\"笔";
        let safe = json(&serde_json::to_string(name).unwrap());
        assert!(!safe.contains(is_unprintable), "{safe:?}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), name);
    }
}
