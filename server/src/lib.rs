//! `ferryd`: many people, one shared folder, one operating system thread for each.
//!
//! # The threads
//! ```text
//! main       binds, accepts; joins everything
//! c07        one for each client: reads requests, answers, receives uploads, syncs, publishes
//! c07:room   one more for each client that hears the room: writes what is said there
//! writer     writes the parts of all uploads
//! journal    writes the log
//! columns    with `--log columns`: shows what happens, a column for each thread
//! signals    turns SIGINT and SIGTERM into a stop
//! countdown  waits until a planned stop is due, or it is time to say how a vote stands
//! keyboard   if there is a console: waits for a line. Not joined: see [`console`]
//! console    obeys it
//! screen     puts the log above the line that is being typed. Not joined either
//! ```
//! Each has a row in the table of [`state`]s, which [`watch`] shows. That is the model *thread*, the
//! product. [`models`] has three others, to compare: one client at a time, a process for each, and
//! one thread for all.
//!
//! # The queues, and how much they hold
//! `commands` and `data` lead to the writer, 256 places each, and at most three chunks of 512 KiB
//! for each upload (of 64 KiB in [`class`] mode); one way back for each upload, five places; `journal`,
//! 4096 lines; `columns`, 4096 events, and a trace 100,000, if they are asked for; one outbox for
//! each session that hears the room, 256 lines and 64 KiB.
//!
//! # The locks, and their order
//! Each guards one table, is held for a few instructions, and no two are ever held at once: the
//! registry's (claims), the roster's (sessions), the room's (who hears what), the state table's
//! (rows, queues that are shown), a row's (its words), the ledger's (homes' counters), the throttle's
//! (wrong passwords), the recent logins' (right ones), the countdown's (what to say, and when), the [`brakes`]' (what is held up), a stripe's
//! (claims between servers; the one that is held across system calls). The areas that passwords are
//! hashed in are no lock but a queue, one place for each core.
//! A connection's turn to send is the one that is held while its client takes what is sent, and others
//! may be taken under it: only this client's own two threads can want it (see [`socket`]).
//! A poisoned lock is taken all the same: nothing that can panic runs while one is held.
//! Those that guard data are [`named`] by it, and count how often they were taken.
//!
//! # Reading order
//! [`models::thread`] (then [`models`]) → [`session`] → [`service`] → [`console`], [`watch`] →
//! [`batch`] → [`upload`], [`plan`] → [`room`] → [`accounts`], [`places`] → [`rights`], [`quota`] →
//! [`claims`] → [`registry`], [`stripes`], [`writer`] → [`listener`], [`roster`], [`socket`] →
//! [`patience`] → [`answer`], [`refusal`] → [`counters`] → [`queue`] → [`store`] → [`class`],
//! [`point`], [`brakes`] → [`state`] → [`named`]. Uses point only that way (a test keeps it so). Apart stand `cli`, the doorway, with
//! `admin` for `ferryd user`; [`config`], what the command line may say; and [`journal`], where the
//! log goes, with [`trace`] for who wants to see more.

pub mod accounts;
mod admin;
pub mod answer;
pub mod batch;
pub mod bell;
pub mod brakes;
pub mod claims;
pub mod class;
mod cli;
mod clock;
pub mod config;
pub mod console;
pub mod counters;
pub mod input;
pub mod journal;
pub mod listener;
pub mod models;
pub mod named;
pub mod party;
pub mod patience;
pub mod places;
pub mod plan;
pub mod point;
pub mod queue;
pub mod quota;
pub mod refusal;
pub mod registry;
pub mod rights;
pub mod room;
pub mod roster;
pub mod seldom;
mod server;
pub mod service;
pub mod session;
pub mod socket;
pub mod state;
pub mod stop;
pub mod store;
pub mod stripes;
mod sync;
pub mod trace;
pub mod upload;
pub mod watch;
pub mod writer;

pub use crate::cli::main;
pub use crate::server::{Server, ServerError};
