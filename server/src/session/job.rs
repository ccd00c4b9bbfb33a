//! A request under way: what it is remembered by, and what the journal will say of it.

use std::fmt::Display;
use std::time::Instant;

use common::escape::Safe;
use common::protocol::Request;

use crate::service::Who;
use crate::state;
use crate::upload::Report;

/// How much of a path the journal keeps. A request may name one of 64 KiB.
const NOTED_CHARS: usize = 256;

/// What stands between a request line and the next one.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    /// Nothing.
    None,
    /// Bytes, once the client is told to send them.
    OnDemand,
    /// So many bytes and a checksum line, whether they are wanted or not.
    Eager(u64),
}

impl Body {
    fn of(request: &Request) -> Self {
        match request {
            Request::Put(put) if put.eager => Self::Eager(put.size),
            Request::Put(_) => Self::OnDemand,
            _ => Self::None,
        }
    }
}

/// A request under way.
pub(crate) struct Job {
    verb: &'static str,
    path: String,
    pub(crate) body: Body,
    begun: Instant,
}

impl Job {
    pub(crate) fn of(request: &Request) -> Self {
        let (verb, path) = (request.verb(), request.path().to_owned());
        state::works_on(verb, &path);
        Self { verb, path, body: Body::of(request), begun: Instant::now() }
    }

    /// The same request when this is what stands between it and the next.
    pub(crate) fn before(self, body: Body) -> Self {
        Self { body, ..self }
    }

    /// An upload that was settled.
    pub(crate) fn reported(report: Report) -> Self {
        let Report { path, begun, .. } = report;
        Self { verb: "PUT", path, body: Body::None, begun }
    }

    /// One line in the journal: who, what, how much, how long, how it ended.
    pub(crate) fn note(&self, who: &Who<'_>, bytes: u64, ended: impl Display) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let path: String = match self.path.as_str() {
            "" => ".".to_owned(),
            path => path.chars().take(NOTED_CHARS).collect(),
        };
        let (verb, path) = (self.verb, Safe(&path));
        log::info!("{} {who} {verb} {path} {bytes} B {seconds:.3} s {ended}", who.peer);
        state::did(format_args!("{ended} {path}"));
    }
}
