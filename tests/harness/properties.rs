//! What must hold whatever bytes come: each property is a function that panics where it does not.
//!
//! Two callers share them. The fuzz targets in `tests/fuzz` pass what libFuzzer thinks of, guided
//! by which code it reaches; `tests/it/corpus.rs` passes the stored corpus and what proptest thinks
//! of, at every run of the tests.
//!
//! Here stand those that need nothing but bytes. [`session`] needs a server to talk to, [`answers`]
//! a client to talk into.

pub mod answers;
pub mod session;

use std::fmt::{Debug, Display};
use std::io::{BufRead, BufReader};
use std::path::{Component, Path};

use client::error::Error;
use common::escape::Safe;
use common::frame;
use common::limits::{LINE_BYTES_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX, USER_BYTES_MAX};
use common::path::{Name, VirtualPath};
use common::protocol::{
    Details, Done, Download, Existing, Greeting, Identity, Offset, Page, Reason, Request, Response,
    Summed,
};
use common::user::UserName;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What moves a cursor, changes colours, or turns the line around it. Spelled out a second time on
/// purpose: the server's and the client's own list is what is being tested.
pub fn is_obeyed(c: char) -> bool {
    let turns = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{feff}'];
    c.is_control()
        || turns.contains(&c)
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A stream gives the same lines in whatever pieces it arrives, and a line that is a request
/// prints as a line that is the same request.
pub fn request(bytes: &[u8]) {
    let (lines, end) = lines_of(bytes);
    let in_pieces = lines_of(BufReader::with_capacity(bytes.len() % 7 + 1, bytes));
    assert_eq!((&lines, &end), (&in_pieces.0, &in_pieces.1), "pieces make a difference");
    for line in lines {
        if let Ok(request) = frame::parse::<Request>(&line) {
            let printed = printed(&request);
            assert!(
                printed.len() <= LINE_BYTES_MAX,
                "it came in a line and fits none: {request:?}"
            );
            assert_eq!(frame::parse(&printed).ok(), Some(request));
        }
    }
}

/// A line that is an answer prints as the same answer, and what a later version adds to it is
/// ignored: so the protocol has promised to servers.
pub fn reply(bytes: &[u8]) {
    for line in lines_of(bytes).0 {
        answer::<Greeting>(&line);
        answer::<Page>(&line);
        answer::<Download>(&line);
        answer::<Offset>(&line);
        answer::<Details>(&line);
        answer::<Summed>(&line);
        answer::<Identity>(&line);
        answer::<Done>(&line);
    }
}

fn answer<T: Serialize + DeserializeOwned + PartialEq + Debug>(line: &[u8]) {
    let Ok(response) = frame::parse::<Response<T>>(line) else { return };
    assert_eq!(frame::parse(&printed(&response)).ok().as_ref(), Some(&response));
    // There is at least the status behind it.
    let later = line.trim_ascii_start().split_first().map_or(&[][..], |(_, fields)| fields);
    let later = [br#"{"of a later version":[{}],"#, later].concat();
    assert_eq!(frame::parse(&later).ok().as_ref(), Some(&response), "not with a field more");
}

/// What parses as a path leads nowhere but down, by names that are safe to walk and to print, and
/// prints as a path that is the same one. The first line is the folder it starts from.
pub fn path(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    user_name(text);
    let (start, text) = text.split_once('\n').unwrap_or(("", text));
    let root = VirtualPath::root();
    let start = accepted(VirtualPath::parse(start, &root)).unwrap_or(root);
    let Some(path) = accepted(VirtualPath::parse(text, &start)) else { return };
    let above = if text.starts_with('/') { &[] } else { start.names() };
    let asked =
        above.iter().map(Name::as_str).chain(text.split('/').filter(|part| !part.is_empty()));
    assert!(asked.eq(path.names().iter().map(Name::as_str)), "{path} is not what was asked for");
    leads_down(&path, &start);
}

fn leads_down(path: &VirtualPath, start: &VirtualPath) {
    let shown = path.to_string();
    assert!(shown.len() <= PATH_BYTES_MAX && !shown.contains(is_obeyed), "{shown:?}");
    assert_eq!(VirtualPath::parse(&shown, start).as_ref(), Ok(path));
    for name in path.names().iter().map(Name::as_str) {
        assert!((1..=NAME_BYTES_MAX).contains(&name.len()), "{name:?}");
        assert!(!name.starts_with('.') && !name.contains('/'), "{name:?}");
    }
    // The kernel walks a path as std takes it apart: from the root, each step a plain name.
    let names = path.names().iter().map(|name| Component::Normal(name.as_str().as_ref()));
    let steps = std::iter::once(Component::RootDir).chain(names);
    assert!(Path::new(&shown).components().eq(steps), "{shown:?}");
    if let Some((folder, name)) = path.split_last() {
        assert_eq!(VirtualPath::parse(name.as_str(), &folder).as_ref(), Ok(path));
        let _ = accepted(name.check_portable());
    }
}

/// A user's name is a name of a folder and, with an ending, of a file; capitals do not count.
fn user_name(text: &str) {
    let Some(user) = accepted(UserName::parse(text)) else { return };
    assert!((1..=USER_BYTES_MAX).contains(&user.as_str().len()), "{user}");
    assert_eq!(UserName::parse(&text.to_ascii_uppercase()).as_ref(), Ok(&user));
    assert_eq!(UserName::parse(user.as_str()).as_ref(), Ok(&user));
    for name in [user.to_string(), format!("{user}.json")] {
        assert!(Name::parse(&name).is_ok(), "{name}");
    }
}

/// What a peer said, shown to a person, does nothing but show.
pub fn escape(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let safe = Safe(&text).to_string();
    harmless(&safe);
    assert_eq!(Safe(&safe).to_string(), safe, "what is safe stays as it is");
    let mut shown = safe.chars();
    let kept = |c| shown.any(|s| s == c);
    assert!(text.chars().filter(|c| !is_obeyed(*c)).all(kept), "{safe:?} lost something");
    let (path, message) = (text.clone(), text.clone());
    for error in [
        Error::Refused { path, reason: Reason::Denied, message },
        Error::Exists {
            path: text.clone(),
            existing: Existing { message: text.clone(), stat: None },
            replaceable: false,
        },
        Error::Protocol(text.clone()),
        Error::LoginRefused(text.clone()),
        Error::ExistsHere(text.into()),
    ] {
        harmless(&error);
    }
}

/// Nothing in what is shown acts on a terminal.
fn harmless(shown: impl Display) {
    let shown = shown.to_string();
    assert!(!shown.contains(is_obeyed), "a terminal would obey {shown:?}");
}

/// What a parser gave; if it refused, its words are fit for a terminal.
fn accepted<T>(parsed: Result<T, impl Display>) -> Option<T> {
    parsed.map_err(harmless).ok()
}

/// Every line of a stream, and how it ended.
fn lines_of(mut stream: impl BufRead) -> (Vec<Vec<u8>>, Result<bool, String>) {
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    loop {
        match frame::read_line(&mut stream, &mut line) {
            Ok(true) => lines.push(line.clone()),
            end => return (lines, end.map_err(|error| error.to_string())),
        }
    }
}

fn printed(value: &impl Serialize) -> Vec<u8> {
    let mut line = Vec::new();
    let written = frame::write_line(&mut line, value);
    assert!(written.is_ok(), "it does not print: {written:?}");
    line
}
