//! Eight people in a hurry, and a server that is struck down among them.
//!
//! Each is a thread with a connection of its own. What they were told comes out as [`Promises`].

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use client::error::Error;

use crate::dice::Dice;
use crate::eventually;
use crate::promises::Promises;
use crate::visitor::Visitor;

/// How many people.
const VISITORS: u64 = 8;

/// When the blow falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// In the middle: this many OKs have been read, so much time has passed since, and nobody has
    /// stopped.
    Amid(u64, Duration),
    /// Right behind the last OK: after this many everybody stops, and nothing that comes later
    /// can by chance bring to disk what was promised last.
    Behind(u64),
    /// None falls. The server falls by itself, or everybody has had enough.
    Never,
}

impl Moment {
    /// One of the first two kinds, in turn, and when exactly the dice say.
    pub fn of_round(round: u64, dice: &mut Dice) -> Self {
        let oks = 20 + dice.throw() % 180;
        if round.is_multiple_of(2) {
            Self::Behind(oks)
        } else {
            Self::Amid(oks, Duration::from_micros(dice.throw() % 20_000))
        }
    }
}

/// What all of them see.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    told_ok: AtomicU64,
    /// Whether to stop before the next request.
    enough: AtomicBool,
    /// From now on a failure is nobody's fault.
    struck: AtomicBool,
    /// The server may go away by itself, at any time.
    falls: bool,
    /// How many have ended.
    gone: AtomicU64,
}

/// Lets everybody loose on a server and calls `strike` at the `moment`. Gives what they were told
/// when all of them have ended: `strike` must see to it that the server no longer says OK.
///
/// An error is that of `strike`, or of a request that failed although nothing was struck.
pub fn rush(
    server: SocketAddr,
    seed: u64,
    moment: Moment,
    strike: impl FnOnce() -> io::Result<()>,
) -> io::Result<Promises> {
    let scene = Scene { falls: moment == Moment::Never, ..Scene::default() };
    thread::scope(|scope| {
        let visitors: Vec<_> = (0..VISITORS)
            .map(|number| {
                let (scene, seed) = (&scene, seed.wrapping_mul(VISITORS) + number);
                scope.spawn(move || {
                    let told = Visitor::visit(server, format!("v{seed}"), seed, scene);
                    scene.gone.fetch_add(1, Ordering::SeqCst);
                    told
                })
            })
            .collect();
        let struck = scene.strike_at(moment, strike);
        let mut promises = Promises::default();
        for visitor in visitors {
            let told = visitor.join().map_err(|_| io::Error::other("a client panicked"))?;
            promises.absorb(told?);
        }
        struck.map(|()| promises)
    })
}

impl Scene {
    /// Whether a request may have failed like this.
    pub(crate) fn excuses(&self, error: &Error) -> bool {
        let gone = matches!(error, Error::Lost { .. } | Error::NoServer { .. });
        self.struck.load(Ordering::SeqCst) || (self.falls && gone)
    }

    /// Somebody has read an OK.
    pub(crate) fn told_ok(&self) {
        self.told_ok.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether it is time to go.
    pub(crate) fn is_over(&self) -> bool {
        self.enough.load(Ordering::SeqCst)
    }

    fn strike_at(&self, moment: Moment, strike: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let all_gone = || self.gone.load(Ordering::SeqCst) == VISITORS;
        let reached = |oks| self.told_ok.load(Ordering::SeqCst) >= oks || all_gone();
        match moment {
            Moment::Amid(oks, pause) => {
                eventually("enough is told OK", || reached(oks));
                // Not a wait for anything: another moment in each round.
                thread::sleep(pause);
            }
            Moment::Behind(oks) => {
                eventually("enough is told OK", || reached(oks));
                self.enough.store(true, Ordering::SeqCst);
                eventually("everybody has stopped", all_gone);
            }
            Moment::Never => return Ok(()),
        }
        self.struck.store(true, Ordering::SeqCst);
        strike()
    }
}
