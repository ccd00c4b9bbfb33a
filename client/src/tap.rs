//! What goes over a connection, for whoever wants to see it: the log, and `--wire`.
//!
//! Every frame passes by here, and no password gets past: a request is shown as it is sent, with
//! `***` for each. A body is one line, when it has ended: how many bytes it had.

use std::fmt;
use std::sync::Arc;

use common::escape::Safe;
use common::protocol::{Password, Request};
use serde::Serialize;

/// Which way something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Out,
    In,
}

/// What went by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed<'a> {
    /// A line, without its end, and safe to print.
    Line(&'a str),
    /// The bytes of a body, so many.
    Body(u64),
}

/// Who is shown what goes by; nobody at first. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Onlooker(Option<Arc<Show>>);

type Show = dyn Fn(Way, Passed<'_>) + Send + Sync;

impl Onlooker {
    /// One who is told by `show`, in the thread that reads or writes.
    pub(crate) fn new(show: impl Fn(Way, Passed<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(show)))
    }
}

impl fmt::Debug for Onlooker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Onlooker").field(&self.0.is_some()).finish()
    }
}

/// What one connection tells of itself.
#[derive(Debug)]
pub(crate) struct Tap {
    onlooker: Onlooker,
    /// Of a body that has not ended.
    body: Option<(Way, u64)>,
}

impl Tap {
    pub(crate) fn new(onlooker: Onlooker) -> Self {
        Self { onlooker, body: None }
    }

    /// Another, for another thread on the same connection.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.onlooker.clone())
    }

    /// A request goes out.
    pub(crate) fn request(&mut self, request: &Request) {
        self.line(Way::Out, || json(&masked(request)));
    }

    /// Another line goes out. It must hold no secret.
    pub(crate) fn line_out(&mut self, line: &impl Serialize) {
        self.line(Way::Out, || json(line));
    }

    /// A line came in.
    pub(crate) fn line_in(&mut self, line: &[u8]) {
        self.line(Way::In, || printable(line));
    }

    /// Bytes of a body went by.
    pub(crate) fn body(&mut self, way: Way, bytes: usize) {
        let (_, counted) = self.body.get_or_insert((way, 0));
        *counted += bytes as u64;
    }

    /// A body has ended, be it whole or not.
    pub(crate) fn body_ends(&mut self) {
        if let Some((way, bytes)) = self.body.take() {
            self.show(way, Passed::Body(bytes));
        }
    }

    fn line(&mut self, way: Way, line: impl FnOnce() -> String) {
        self.body_ends();
        if self.onlooker.0.is_some() || log::log_enabled!(log::Level::Debug) {
            self.show(way, Passed::Line(&line()));
        }
    }

    fn show(&self, way: Way, passed: Passed<'_>) {
        let sign = if way == Way::Out { '>' } else { '<' };
        match passed {
            Passed::Line(line) => log::debug!("{sign} {line}"),
            Passed::Body(bytes) => log::debug!("{sign} {bytes} bytes"),
        }
        if let Some(show) = &self.onlooker.0 {
            show(way, passed);
        }
    }
}

impl Drop for Tap {
    /// What is cut off in the middle of a body is seen all the same.
    fn drop(&mut self) {
        self.body_ends();
    }
}

fn printable(line: &[u8]) -> String {
    Safe(&String::from_utf8_lossy(line)).to_string()
}

fn json(value: &impl Serialize) -> String {
    printable(&serde_json::to_vec(value).unwrap_or_default())
}

/// The request as it may be shown. No `_` here: a new request must say whether it has a secret.
fn masked(request: &Request) -> Request {
    let mut shown = request.clone();
    let mask = || Password("***".into());
    match &mut shown {
        Request::Register(who) | Request::Login(who) => who.password = mask(),
        Request::Passwd { old, new } => (*old, *new) = (mask(), mask()),
        Request::List { .. }
        | Request::Get { .. }
        | Request::Put(_)
        | Request::Stat { .. }
        | Request::Sum { .. }
        | Request::Mkdir { .. }
        | Request::Delete { .. }
        | Request::Rename { .. }
        | Request::Who {}
        | Request::Join { .. }
        | Request::Listen { .. }
        | Request::Say { .. }
        | Request::Leave {}
        | Request::Vote { .. }
        | Request::Admin { .. }
        | Request::Watch { .. }
        | Request::Quit {} => {}
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use common::protocol::Credentials;

    use super::*;

    #[test]
    fn who_looks_on_sees_who_but_no_password() {
        let secret = || Password("s3cret".into());
        let who = Credentials { user: "xiaoyu".into(), password: secret() };
        let shown = json(&masked(&Request::Login(who.clone())));
        assert_eq!(shown, r#"{"cmd":"LOGIN","user":"xiaoyu","password":"***"}"#);
        for request in [
            Request::Register(who.clone()),
            Request::Login(who),
            Request::Passwd { old: secret(), new: secret() },
        ] {
            assert!(!json(&masked(&request)).contains("s3cret"), "{}", request.verb());
        }
    }

    #[test]
    fn a_body_is_one_line_when_it_has_ended_whole_or_not() {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&shown);
        let mut tap = Tap::new(Onlooker::new(move |way, passed| {
            list.lock().unwrap().push(format!("{way:?} {passed:?}"));
        }));
        tap.body(Way::In, 3);
        tap.body(Way::In, 4);
        tap.line_in(b"{\"a\":\"\x1b\"}");
        tap.body(Way::Out, 0);
        tap.body_ends();
        tap.body(Way::Out, 5);
        drop(tap);
        let expected =
            ["In Body(7)", r#"In Line("{\"a\":\"\\u{1b}\"}")"#, "Out Body(0)", "Out Body(5)"];
        assert_eq!(*shown.lock().unwrap(), expected);
    }
}
