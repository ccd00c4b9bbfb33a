//! What all clients of a soak share: where the server is, what was promised, what was counted,
//! and what was found wrong.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::ledger::Ledger;
use crate::dice::Dice;

/// Users with homes, besides the accounts that the clients open for themselves.
pub(super) const USERS: usize = 6;
/// Names in the library that everybody fights for.
pub(super) const LIBRARY_NAMES: usize = 24;
/// Names in each home that its user's sessions fight for.
pub(super) const HOME_NAMES: usize = 6;
/// Names of users that everybody tries to register.
pub(super) const CONTENDED_USERS: usize = 12;
/// Everybody's password, but for those who change theirs.
pub(super) const PASSWORD: &str = "123456";
/// A file that those fetch who then do not read it.
pub(super) const BIG: &str = "/library/big";
/// Findings that are kept word for word.
const FINDINGS_MAX: usize = 20;

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) operations: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Visits over a bad network that broke off.
    pub(super) lost: AtomicU64,
    /// Deliberate misbehaviour, without a bad network.
    pub(super) mischief: AtomicU64,
    /// Uploads with a time or for resuming that broke off: their parts may be kept.
    pub(super) resumable: AtomicU64,
}

/// One name that may be fought for, as one client says it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What the ledger calls it.
    pub(super) name: String,
    /// What this client calls it.
    pub(super) path: String,
    /// Whether this client may replace and remove there.
    pub(super) owned: bool,
    /// Whether uploads there carry times and are resumed.
    pub(super) timed: bool,
}

/// As whom somebody visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Guest,
    User(usize),
    Admin,
}

impl Role {
    pub(super) fn of(dice: &mut Dice) -> Self {
        match dice.below(8) {
            0 | 1 => Self::Guest,
            2 => Self::Admin,
            _ => Self::User(dice.below(USERS)),
        }
    }

    /// The account to log in to.
    pub(super) fn account(self) -> Option<String> {
        match self {
            Self::Guest => None,
            Self::User(n) => Some(user(n)),
            Self::Admin => Some("admin".into()),
        }
    }

    /// A name this one may use.
    pub(super) fn place(self, dice: &mut Dice) -> Place {
        match self {
            Self::User(n) if !dice.one_in(3) => home_place(n, dice.below(HOME_NAMES), true),
            Self::Admin if dice.one_in(2) => {
                home_place(dice.below(USERS), dice.below(HOME_NAMES), false)
            }
            _ => {
                let name = library_name(dice.below(LIBRARY_NAMES));
                Place { path: name.clone(), name, owned: self == Self::Admin, timed: false }
            }
        }
    }
}

pub(super) fn user(n: usize) -> String {
    format!("user{n}")
}

pub(super) fn library_name(n: usize) -> String {
    format!("/library/s{n}")
}

/// A name in a home, as its owner says it or as an administrator does.
pub(super) fn home_place(user: usize, n: usize, by_owner: bool) -> Place {
    let name = format!("/homes/user{user}/n{n}");
    let path = if by_owner { format!("/home/n{n}") } else { name.clone() };
    Place { name, path, owned: true, timed: true }
}

/// The shared part of a soak.
#[derive(Debug)]
pub(super) struct World {
    pub(super) server: SocketAddr,
    pub(super) ledger: Ledger,
    pub(super) tally: Tally,
    /// How often each contended user was registered.
    pub(super) registered: [AtomicU64; CONTENDED_USERS],
    findings: Mutex<Vec<String>>,
    found: AtomicU64,
    over: AtomicBool,
}

impl World {
    pub(super) fn new(server: SocketAddr) -> Self {
        Self {
            server,
            ledger: Ledger::default(),
            tally: Tally::default(),
            registered: Default::default(),
            findings: Mutex::default(),
            found: AtomicU64::new(0),
            over: AtomicBool::new(false),
        }
    }

    /// Something is not as it must be.
    pub(super) fn found(&self, finding: String) {
        self.found.fetch_add(1, Ordering::SeqCst);
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        if findings.len() < FINDINGS_MAX {
            findings.push(finding);
        }
    }

    /// How much was found, and the first of it.
    pub(super) fn findings(&self) -> (u64, Vec<String>) {
        let findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (self.found.load(Ordering::SeqCst), findings)
    }

    /// Everybody shall come to an end.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Does nothing for a while; `false` when all is over.
    pub(super) fn idle(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while !self.is_over() && Instant::now() < until {
            thread::sleep(Duration::from_millis(20).min(time));
        }
        !self.is_over()
    }

    pub(super) fn did(&self, bytes: usize) {
        self.tally.operations.fetch_add(1, Ordering::Relaxed);
        self.tally.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
