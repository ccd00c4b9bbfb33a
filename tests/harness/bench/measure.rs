//! One run: a new server, a first fetch that does not count, the clients, and a look at every byte.

use std::fs;
use std::io;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::clients::Clients;
use super::contestants::Contestant;
use super::daemon::Server;
use super::ground::Ground;
use super::workload::{Errand, Workload};
use crate::stress::figures::float;
use crate::tree::Tree;

/// How often the server's memory is looked at.
const LOOK: Duration = Duration::from_millis(40);
/// How many clients come to see how the next one is served.
const NEXT_CLIENTS: usize = 11;
/// The smallest piece of memory a system gives away.
const PAGE_BYTES: usize = 4096;

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// From the start of the first client process to the end of the last one; of idle sessions,
    /// until all had come in. In seconds.
    pub wall: f64,
    /// What the server used meanwhile, in seconds.
    pub cpu: f64,
    /// The most memory it held meanwhile that is no file's, in KiB.
    pub anonymous_kib: f64,
    /// Of idle sessions only.
    pub idle: Option<Idle>,
}

/// What sessions cost that do nothing.
#[derive(Debug, Clone, Copy)]
pub struct Idle {
    /// The server's memory for each that is no file's, in KiB; shared pages in shares.
    pub session_kib: f64,
    /// How long a client process that fetches a small file takes among them, in seconds.
    pub next: f64,
}

/// Measures once.
pub(super) fn measure(
    contestant: &dyn Contestant,
    workload: Workload,
    ground: &Ground,
    clients: &Clients<'_>,
) -> io::Result<Reading> {
    ground.clear(&[])?;
    if ground.scale().is_real {
        // What others have yet to write would be written during the measurement.
        rustix::fs::sync();
    }
    let server = contestant.serve(ground)?;
    let meeting = Meeting { contestant, ground, clients, server };
    meeting.next_client()?;
    let reading = match workload.held(ground.scale()) {
        Some(count) => meeting.hold(count),
        None => meeting.time(workload),
    }?;
    drop(meeting);
    ground.clear(&[])?;
    Ok(reading)
}

/// A contestant's server, and those who come to it.
struct Meeting<'m> {
    contestant: &'m dyn Contestant,
    ground: &'m Ground,
    clients: &'m Clients<'m>,
    server: Server,
}

impl Meeting<'_> {
    fn client(&self, errand: &Errand) -> io::Result<Command> {
        self.contestant.client(self.ground, self.server.address, errand)
    }

    /// A client process that fetches a small file, and how long it takes.
    fn next_client(&self) -> io::Result<Duration> {
        let errand = Errand::Fetch(vec![Ground::ONE.into()], Ground::OUT.into());
        self.ground.clear(&[])?;
        let time = self.clients.run(vec![self.client(&errand)?], 1)?;
        self.ground.compare(&errand)?;
        Ok(time)
    }

    fn time(&self, workload: Workload) -> io::Result<Reading> {
        let (errands, at_once) = workload.errands(self.ground);
        self.ground.clear(&errands)?;
        let commands =
            errands.iter().map(|errand| self.client(errand)).collect::<Result<_, _>>()?;
        if workload.is_bulk() {
            touch(self.ground.scale().touched);
        }
        let tree = self.server.tree();
        let (wall, cpu, anonymous_kib) = watched(tree, || self.clients.run(commands, at_once))?;
        errands.iter().try_for_each(|errand| self.ground.compare(errand))?;
        Ok(Reading { wall: wall.as_secs_f64(), cpu, anonymous_kib, idle: None })
    }

    fn hold(&self, count: u32) -> io::Result<Reading> {
        let tree = self.server.tree();
        tree.rest();
        let before = tree.anonymous_share_kib();
        let command = self.client(&Errand::Hold(count))?;
        let (held, cpu, anonymous_kib) = watched(tree, || self.clients.hold(command))?;
        let grown = tree.anonymous_share_kib().saturating_sub(before);
        let mut next = Vec::new();
        for _ in 0..NEXT_CLIENTS {
            next.push(self.next_client()?.as_secs_f64());
        }
        let wall = held.time.as_secs_f64();
        held.leave()?;
        let session_kib = float(grown) / f64::from(count);
        let idle = Some(Idle { session_kib, next: median(next) });
        Ok(Reading { wall, cpu, anonymous_kib, idle })
    }
}

/// Does something with a server. Also what that took the server: processor time in seconds, and the
/// most memory at any moment that was looked at, in KiB.
fn watched<T>(tree: Tree, work: impl FnOnce() -> io::Result<T>) -> io::Result<(T, f64, f64)> {
    tree.rest();
    let before = tree.cpu();
    let (done, most) = thread::scope(|scope| {
        let (over, is_over) = channel::<()>();
        let looking = thread::Builder::new().spawn_scoped(scope, move || {
            let mut most = tree.anonymous_kib();
            while is_over.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                most = most.max(tree.anonymous_kib());
            }
            most
        })?;
        let done = work();
        drop(over);
        Ok::<_, io::Error>((done?, looking.join().unwrap_or(0)))
    })?;
    tree.rest();
    let cpu = tree.cpu().saturating_sub(before);
    Ok((done, cpu.as_secs_f64(), float(most)))
}

/// Uses so much memory and gives it back, but never more than half of what is free. A virtual
/// machine may have to get memory from its host first, which takes longer than a file.
fn touch(bytes: u64) {
    let free = available_bytes().unwrap_or(0);
    let bytes = usize::try_from(bytes.min(free / 2)).unwrap_or(0);
    let mut memory = vec![0_u8; bytes];
    memory.iter_mut().step_by(PAGE_BYTES).for_each(|byte| *byte = 1);
    std::hint::black_box(&memory);
}

fn available_bytes() -> Option<u64> {
    let gauges = fs::read_to_string("/proc/meminfo").ok()?;
    let line = gauges.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// The middle value; of an even number of them, between the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    let lower = (values.len().max(1) - 1) / 2;
    match (values.get(lower), values.get(upper)) {
        (Some(lower), Some(upper)) => f64::midpoint(*lower, *upper),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        let same = |values: &[f64], middle: f64| (median(values.into()) - middle).abs() < 1e-12;
        assert!(same(&[9.0], 9.0) && same(&[3.0, 1.0, 100.0], 3.0) && same(&[4.0, 1.0], 2.5));
        assert!(median(vec![]).is_nan());
    }
}
