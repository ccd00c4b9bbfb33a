//! What takes long to compute, and is computed beside the loop: by one thread, one thing after the
//! other.
//!
//! A hash of a password costs twenty milliseconds of a core on purpose; the checksum of a long file
//! costs seconds. The loop hands such a request over, with the claim or the identity it needs, and
//! goes on; the thread wakes it when it is done. One thread, so those who log in wait for each
//! other, and for whoever asked for a sum before them, but nobody else does.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, Scope};

use common::protocol::Request;
use crossbeam_channel::{Receiver, bounded};

use crate::answer::Answer;
use crate::claims::Claim;
use crate::plan::Plan;
use crate::point;
use crate::queue::{Inlet, queue};
use crate::service::{Reply, Service, Who};
use crate::state::{self, State, Table};
use crate::upload::Upload;

/// What is to be computed for a session.
pub(super) enum Task<'s> {
    /// What comes of a request.
    Ask(Box<Who<'s>>, Box<Request>),
    /// The beginning of an upload that goes on: what was kept of it is read.
    Begin(Box<Plan<'s>>, Claim<'s>),
}

impl Task<'_> {
    /// Whether the answer to a request may take long without the disk being slow.
    pub(super) fn is_for(request: &Request) -> bool {
        use Request::{Login, Passwd, Register, Sum};
        matches!(request, Login(_) | Passwd { .. } | Register(_) | Sum { .. })
    }
}

/// What came of it.
pub(super) enum Outcome<'s> {
    /// Of a request, with who its sender is by now.
    Replied(Box<Who<'s>>, Box<Reply<'s>>),
    /// Of an upload.
    Begun(Box<Result<Upload<'s>, Answer>>),
}

/// A task, and for which session it is.
pub(super) struct Order<'s> {
    pub(super) session: u64,
    /// Who that is, for who looks on.
    pub(super) label: Option<Arc<str>>,
    pub(super) task: Task<'s>,
}

/// Where sessions leave their tasks.
pub(super) type Desk<'s> = Inlet<Order<'s>>;

/// The thread, as the loop sees it. It ends when this and every [`Desk`] are gone.
pub(super) struct Beside<'s> {
    desk: Desk<'s>,
    outcomes: Receiver<(u64, Option<Outcome<'s>>)>,
}

impl<'s> Beside<'s> {
    /// Starts it. There are as many places for tasks as for sessions; it calls `wake` when one is
    /// done.
    pub(super) fn spawn<'scope>(
        scope: &'scope Scope<'scope, '_>,
        table: &'s Table,
        service: &'s Service<'s>,
        places: usize,
        wake: impl Fn() + Send + 'scope,
    ) -> io::Result<Self>
    where
        's: 'scope,
    {
        let (desk, orders, gauge) = queue::<Order<'s>>("hashing", places);
        let (results, outcomes) = bounded(places);
        Builder::new().name("hashing".into()).spawn_scoped(scope, move || {
            let _seat = table.seat("hashing", State::WaitQueueEmpty);
            let _shown = table.show(gauge.clone());
            for Order { session, label, task } in orders {
                gauge.take(0);
                state::works_for(label.as_ref());
                let _doing = state::enter(State::Run);
                let outcome = catch_unwind(AssertUnwindSafe(|| compute(task, service)));
                if results.send((session, outcome.ok())).is_err() {
                    return;
                }
                wake();
            }
        })?;
        Ok(Self { desk, outcomes })
    }

    pub(super) fn desk(&self) -> Desk<'s> {
        self.desk.clone()
    }

    /// Something that is done, for this session; nothing came of it if it panicked.
    pub(super) fn outcome(&self) -> Option<(u64, Option<Outcome<'s>>)> {
        self.outcomes.try_recv().ok()
    }
}

fn compute<'s>(task: Task<'s>, service: &Service<'s>) -> Outcome<'s> {
    match task {
        Task::Ask(mut who, request) => {
            let reply = service.handle(&mut who, *request);
            point::pass("request.handled");
            Outcome::Replied(who, Box::new(reply))
        }
        Task::Begin(plan, claim) => {
            let begun = Upload::begin(service.writer, service.stop, *plan, claim);
            Outcome::Begun(Box::new(begun))
        }
    }
}
