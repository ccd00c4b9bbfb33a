//! Growth curves: what one operation costs as something grows, from one to a thousand, from a
//! kilobyte to a gigabyte.
//!
//! A benchmark says how fast; a curve says whether it stays so. Four things grow, each before a
//! server of its own: `clients` who share the same work, `sizes` of a file, `folders` that are
//! listed, and `waiters` for one name. Each becomes a [`Growth`]: a table, the power of `n`
//! that it follows ([`growth`]), and a [`picture`].
//!
//! Whatever comes by chance is kept out as far as it can be: everything is measured several times
//! in turn, not several times in a row, and the middle value counts (`rounds`).

mod clients;
mod folders;
pub mod ground;
pub mod growth;
pub mod picture;
mod rounds;
pub mod scale;
mod sizes;
mod waiters;

use std::io;

use client::interrupt::Interrupt;

use self::ground::Ground;
use self::growth::Growth;
use self::scale::Scale;
use crate::descriptors;

/// Descriptors beside those of the clients: standard streams, the server's pipes, files.
const SPARE_DESCRIPTORS: u32 = 64;

/// What is said of a measurement that somebody ended.
const ENDED: &str = "ended by Ctrl-C";

/// A measurement: on this ground, as far as that scale, until somebody presses Ctrl-C.
#[derive(Debug, Clone, Copy)]
struct Survey<'s> {
    ground: &'s Ground,
    scale: &'s Scale,
    interrupt: &'s Interrupt,
}

/// Measures all curves, and gives each to `tell` as soon as it is there. An error is that something
/// could not be measured; that something grew as it must not is in the curve itself.
pub fn run(
    ground: &Ground,
    scale: &Scale,
    interrupt: &Interrupt,
    tell: &dyn Fn(&Growth),
) -> io::Result<Vec<Growth>> {
    descriptors::need(scale.connections_max() + SPARE_DESCRIPTORS)?;
    let survey = Survey { ground, scale, interrupt };
    let measures = [clients::measure, sizes::measure, folders::measure, waiters::measure];
    let measure = |measure: fn(Survey<'_>) -> io::Result<Growth>| {
        let growth = measure(survey).map_err(|error| {
            // At a terminal Ctrl-C reaches the server, too, and a lost connection may show first.
            if interrupt.is_set() { io::Error::other(ENDED) } else { error }
        })?;
        tell(&growth);
        Ok(growth)
    };
    measures.into_iter().map(measure).collect()
}
