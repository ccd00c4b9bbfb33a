//! Ferry beside the limit of the machine and beside its peers: the same bytes, the same loopback, in
//! turn.
//!
//! Goal: to know how far Ferry is from what could be, and from what others do; and to see when that
//! changes. Method: each [`Workload`] is done by every contestant who can, once, and then all of them
//! again, in an order that is shuffled each time; so a noisy minute meets all of them. For each run a
//! new server is started, on loopback and in processes of its own, and one client fetches one file;
//! then the clock runs from the start of the first client process to the end of the last one. Every
//! byte that was moved is compared afterwards.
//!
//! ```text
//!   ground       the folders, in memory or on a disk; what comes is compared there
//!   contestants  ferry · raw, the limit · vsftpd, pure-ftpd, pyftpdlib · rsync · nginx
//!   measure      one run:  daemon  a server and its end     clients  processes with a deadline
//!                          tree    what a server's processes use
//!   race         one workload, all who took part
//!   target       what Ferry has to reach               report   tables, JSON, Markdown
//!   part         the parts this program plays itself: the limit, an FTP client, visits
//! ```

mod clients;
pub mod contestants;
mod daemon;
pub mod ground;
pub mod measure;
pub mod part;
pub mod race;
pub mod report;
pub mod scale;
pub mod target;
pub mod workload;

use std::io;
use std::path::PathBuf;

use client::interrupt::Interrupt;

use self::clients::Clients;
use self::contestants::{Contestant, Missing, Peers};
use self::ground::Ground;
use self::measure::measure;
use self::race::{Entry, Race};
use self::scale::Scale;
use self::workload::Workload;
use crate::descriptors;
use crate::dice::Dice;

/// Descriptors beside those of connections: pipes, logs, files.
const SPARE_DESCRIPTORS: u32 = 1000;

/// What is to be measured.
#[derive(Debug)]
pub struct Plan {
    /// The program that plays `ferryd`, `ferry` and every [`part`].
    pub stage: PathBuf,
    /// Where: first the folder that most is measured in.
    pub folders: Vec<PathBuf>,
    /// How much.
    pub scale: Scale,
    /// What.
    pub workloads: Vec<Workload>,
    /// Who, by name; all if nobody is named.
    pub only: Vec<String>,
    /// How often.
    pub repeat: usize,
    /// What the order follows from.
    pub seed: u64,
    /// Where the peers are.
    pub peers: Peers,
}

/// Measures all of it, and gives each race to `tell` as soon as it is over. An error is that it
/// could not go on; that a contestant failed is in its race.
pub fn run(
    plan: &Plan,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&Race),
) -> io::Result<(Vec<Race>, Vec<Missing>)> {
    descriptors::need(plan.scale.connections_max() + SPARE_DESCRIPTORS)?;
    let (mut contestants, missing) = contestants::all(&plan.stage, &plan.peers);
    let is_asked = |name: &str| plan.only.is_empty() || plan.only.iter().any(|one| one == name);
    contestants.retain(|contestant| is_asked(contestant.name()));
    let missing = missing.into_iter().filter(|peer| is_asked(peer.name)).collect();
    let mut dice = Dice::new(plan.seed);
    let mut races = Vec::new();
    for folder in &plan.folders {
        let ground = Ground::lay(plan.stage.clone(), folder, &plan.scale)?;
        let clients = Clients::on(&ground, interrupt);
        // Later folders are there for what the first one cannot show.
        let is_first = races.is_empty();
        for workload in plan.workloads.iter().filter(|w| is_first || ground.suits(**w)) {
            let able = contestants.iter().map(AsRef::as_ref).filter(|one| one.does(*workload));
            let able: Vec<&dyn Contestant> = able.collect();
            let entries = compete(plan.repeat, *workload, &able, &ground, &clients, &mut dice)?;
            let race = Race::new(&ground, *workload, &plan.scale, entries);
            tell(&race);
            races.push(race);
        }
    }
    Ok((races, missing))
}

/// All of them once, and then again. Who has failed does not come again.
fn compete(
    repeat: usize,
    workload: Workload,
    contestants: &[&dyn Contestant],
    ground: &Ground,
    clients: &Clients<'_>,
    dice: &mut Dice,
) -> io::Result<Vec<Entry>> {
    let mut entries: Vec<Entry> =
        contestants.iter().map(|one| Entry::new(one.name(), one.standing())).collect();
    for _ in 0..repeat {
        for place in shuffled(contestants.len(), dice) {
            let (contestant, entry) = (contestants[place], &mut entries[place]);
            if entry.failure.is_some() {
                continue;
            }
            clients.check()?;
            match measure(contestant, workload, ground, clients) {
                Ok(reading) => entry.readings.push(reading),
                Err(error) => {
                    clients.check()?;
                    entry.failure = Some(error.to_string());
                }
            }
        }
    }
    Ok(entries)
}

/// The numbers below `count` in an order that chance makes (Fisher and Yates).
fn shuffled(count: usize, dice: &mut Dice) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for place in (1..count).rev() {
        order.swap(place, dice.below(place + 1));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_place_and_the_order_changes_and_can_be_repeated() {
        let mut dice = Dice::new(7);
        let orders: Vec<Vec<usize>> = (0..20).map(|_| shuffled(5, &mut dice)).collect();
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        }
        assert!(orders.iter().any(|order| *order != orders[0]));
        assert_eq!(shuffled(5, &mut Dice::new(7)), orders[0]);
    }
}
