//! The same work, dealt over more and more clients: does one more of them cost the others anything?
//!
//! Each has done a round before the clock starts. What a newcomer costs, a thread, a stack, buffers
//! touched for the first time, is paid once; dealt over the few rounds that each of a thousand has,
//! it would look as if they hindered each other.

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use common::protocol::{Details, Done, Download, Request};

use super::Survey;
use super::growth::{Growth, Point, Series};
use super::rounds::medians;
use crate::content;
use crate::stress::line::Line;
use crate::tree::Tree;

/// How large the files are that are put and fetched: small, so that what is measured is the way
/// there and back.
pub(super) const FILE_BYTES: usize = 4096;

/// A put, a get, a stat.
const OPERATIONS: u32 = 3;

/// A client's stack: it keeps little, and there are a thousand.
const STACK_BYTES: usize = 256 * 1024;

pub(super) fn measure(survey: Survey<'_>) -> io::Result<Growth> {
    let Survey { ground, scale, interrupt } = survey;
    let most = scale.clients.iter().max().copied().unwrap_or(1);
    let site = ground.serve(most, &[])?;
    let operations = f64::from(scale.rounds * OPERATIONS);
    let server = Tree::of(site.process());
    let rows = medians(&scale.clients, scale.repeats, interrupt, |clients| {
        let folder = site.folder("work")?;
        let used = server.cpu();
        let time = work(site.address(), clients, scale.rounds)?;
        let used = server.cpu().saturating_sub(used);
        drop(folder);
        Ok([time, used].map(|time| time.as_secs_f64() * 1e6 / operations))
    })?;
    let (values, used): (Vec<f64>, Vec<f64>) =
        rows.into_iter().map(|[time, used]| (time, used)).unzip();
    let [first, last] =
        [values.first(), values.last()].map(|value| value.copied().unwrap_or(f64::NAN));
    let [cheapest, dearest] = [
        values.iter().copied().fold(f64::MAX, f64::min),
        values.iter().copied().fold(0.0, f64::max),
    ];
    let wrong = scale.ratio_max.filter(|bound| dearest > bound * first);
    Ok(Growth {
        name: "clients",
        title: "The same work (puts of 4 KiB, gets, stats) dealt over more clients",
        grows: "clients",
        points: scale.clients.iter().copied().map(Point::count).collect(),
        series: vec![
            Series { name: "", unit: "µs per operation", values, from: 1 },
            Series { name: "server's processor", unit: "µs per operation", values: used, from: 1 },
        ],
        notes: vec![format!(
            "{operations} operations each time; with all clients each costs {:.2} times what it costs \
             with one, and {:.2} times the least",
            last / first,
            last / cheapest
        )],
        wrong: wrong
            .map(|bound| format!("more than {bound} times the cost with one client"))
            .into_iter()
            .collect(),
    })
}

/// Deals the rounds over the clients. How long they take for them, from when all are connected and
/// begin to when the last one is done.
fn work(server: SocketAddr, clients: u32, rounds: u32) -> io::Result<Duration> {
    let mut lines = Vec::new();
    for client in 0..clients {
        let mut line = Line::connect(server)?;
        line.greeted()?;
        go_round(&mut line, client, 0)?;
        lines.push(line);
    }
    let clock = OnceLock::new();
    let last = thread::scope(|scope| {
        let mut working = Vec::new();
        for (client, mut line) in (0..clients).zip(lines) {
            let share = rounds / clients + u32::from(client < rounds % clients);
            let clock = &clock;
            let builder = thread::Builder::new().stack_size(STACK_BYTES);
            let started = builder.spawn_scoped(scope, move || {
                clock.wait();
                (1..=share).try_for_each(|round| go_round(&mut line, client, round))?;
                Ok::<_, io::Error>(Instant::now())
            });
            match started {
                Ok(thread) => working.push(thread),
                Err(error) => {
                    // Those who are there wait for the clock.
                    clock.get_or_init(Instant::now);
                    return Err(error);
                }
            }
        }
        let start = *clock.get_or_init(Instant::now);
        working.into_iter().try_fold(start, |last, thread| {
            let ended =
                thread.join().unwrap_or_else(|_| Err(io::Error::other("a client panicked")));
            Ok(last.max(ended?))
        })
    })?;
    Ok(clock.get().map_or(Duration::ZERO, |start| last - *start))
}

/// Puts a file of its own, fetches it, and asks about it. Each answer is waited for.
fn go_round(line: &mut Line, client: u32, round: u32) -> io::Result<()> {
    let path = format!("/library/work/{client}-{round}");
    let bytes = content::bytes((u64::from(client) << 32) + u64::from(round), FILE_BYTES);
    line.send(&content::eager_put(&path, &bytes))?;
    let Done {} = line.answer()?;
    line.ask(&[Request::Get { path: path.clone(), offset: None }])?;
    let Download { size, .. } = line.answer()?;
    let mut got = vec![0; FILE_BYTES];
    line.rest().read_exact(&mut got)?;
    line.ask(&[Request::Stat { path: path.clone() }])?;
    let Details { .. } = line.answer()?;
    if got == bytes && size == FILE_BYTES as u64 {
        return Ok(());
    }
    Err(io::Error::other(format!("{path} is not what was put there")))
}
