//! Eight clients at once who make the server compute, and eight who make it wait.
//!
//! To compute is a `SUM`: the server reads a file through, as it lies in memory, and adds it up. To
//! wait is a `PUT` of somebody who has announced a file and lets a moment pass before it comes.
//!
//! **Predict:** beside *iterative*, how many times as fast are the others, with two cores, for each of
//! the two?
//!
//! **What one sees:** whoever has a thread or a process for each client has all cores, and is twice as
//! fast with two. *Select* is as slow as one at a time: its loop does not compute, it hands sums to a
//! thread beside it so that nobody else has to wait; but that is *one* thread. Waits pass at the same
//! time in all models but *iterative*: eight as long as one.
//!
//! **So** one loop multiplexes *sockets*. It does not make anything compute faster; and what computes
//! in the loop itself would stop everybody.

use std::io::{self, Read};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use client::client::PutOptions;

use super::super::findings::{Claim, Column, Findings, Row};
use super::super::{Lab, rounds};
use super::{
    ITERATIVE, MODELS, PROCESS, SELECT, SMALL_BYTES, Scale, Subject, THREAD, at_once, keep_less,
};

/// How many there are of each kind.
const CLIENTS: u32 = 8;

/// The file that is added up.
const SUMMED: &str = "summed.bin";

/// Seconds until all were done.
#[derive(Clone, Copy)]
struct Walls {
    computing: f64,
    waiting: f64,
}

pub(super) fn measure(lab: &Lab, scale: &Scale, runs: u32) -> io::Result<Findings> {
    let mut walls = [Walls { computing: f64::MAX, waiting: f64::MAX }; MODELS.len()];
    let claims = rounds::measure(runs, || {
        for (best, model) in walls.iter_mut().zip(MODELS) {
            let subject = Subject::start(lab, model)?;
            subject.lay(SUMMED, scale.summed_mib << 20)?;
            keep_less(&mut best.computing, compute(&subject, scale.sums)?);
            keep_less(&mut best.waiting, wait(&subject, scale.wait)?);
        }
        Ok(claims(&walls))
    })?;
    let one = walls[ITERATIVE];
    let row = |(of, model): (&Walls, &str)| Row {
        label: model.into(),
        values: vec![
            of.computing,
            of.waiting,
            one.computing / of.computing,
            one.waiting / of.waiting,
        ],
    };
    let cores = thread::available_parallelism()?.get();
    let (sums, mib, ms) = (scale.sums, scale.summed_mib, scale.wait.as_millis());
    Ok(Findings {
        name: "models",
        title: format!(
            "{CLIENTS} clients, {sums} sums of {mib} MiB each; {CLIENTS} who let a PUT wait {ms} ms \
             ({cores} cores)"
        ),
        subject: "model",
        columns: vec![
            Column { title: "computing s", unit: None, decimals: 3 },
            Column { title: "waiting s", unit: None, decimals: 3 },
            times_as_fast("computing ×"),
            times_as_fast("waiting ×"),
        ],
        rows: walls.iter().zip(MODELS).map(row).collect(),
        notes: vec![],
        why: "\
Threads and processes have all cores; one client at a time has one, and so has the one thread that
computes beside the loop of `select`. Who waits needs no core: whoever does not wait for them one by
one is done after one wait.",
        claims,
        unclaimed: unclaimed(&walls),
    })
}

fn times_as_fast(title: &'static str) -> Column {
    Column { title, unit: Some("times as fast as iterative"), decimals: 2 }
}

fn compute(subject: &Subject, sums: u32) -> io::Result<f64> {
    together(|| {
        let mut client = subject.client()?;
        (0..sums).try_for_each(|_| client.sum(SUMMED).map(drop)).map_err(io::Error::other)
    })
}

fn wait(subject: &Subject, moment: Duration) -> io::Result<f64> {
    let names = AtomicU32::new(0);
    together(|| {
        let name = format!("late{}", names.fetch_add(1, Ordering::Relaxed));
        let mut client = subject.client()?;
        let offered = client.offer(&name, SMALL_BYTES, PutOptions::default());
        let upload = offered.map_err(io::Error::other)?;
        // The server has told it to begin, and waits.
        thread::sleep(moment);
        upload.send(&mut Read::take(io::repeat(b'l'), SMALL_BYTES)).map_err(io::Error::other)
    })
}

/// From when all are here until all have gone, in seconds.
fn together(one: impl Fn() -> io::Result<()> + Sync) -> io::Result<f64> {
    let here = Barrier::new(CLIENTS as usize);
    let spans = at_once(CLIENTS, |_| {
        here.wait();
        let begun = Instant::now();
        one()?;
        Ok((begun, Instant::now()))
    })?;
    let begun = spans.iter().map(|(begun, _)| *begun).min();
    let ended = spans.iter().map(|(_, ended)| *ended).max();
    let time = begun.zip(ended).map(|(begun, ended)| ended.saturating_duration_since(begun));
    Ok(time.unwrap_or_default().as_secs_f64())
}

/// Whether the machine gave more than one processor: processes know nothing of each other, so if
/// they were no faster together, there was only one to be had.
fn had_processors(walls: &[Walls; MODELS.len()]) -> bool {
    walls[PROCESS].computing <= 0.75 * walls[ITERATIVE].computing
}

fn claims(walls: &[Walls; MODELS.len()]) -> Vec<Claim> {
    let at_most = |most: f64, model: usize, what: &str, of: fn(&Walls) -> f64| {
        let ratio = of(&walls[model]) / of(&walls[ITERATIVE]);
        let text = format!(
            "{what}: `{}` takes at most {most} of what `iterative` takes: {ratio:.2}",
            MODELS[model]
        );
        Claim { text, holds: ratio <= most }
    };
    let waiting = |model| at_most(0.5, model, "waiting", |walls| walls.waiting);
    let mut claims: Vec<Claim> = [SELECT, THREAD, PROCESS].map(waiting).into();
    if had_processors(walls) {
        claims.push(at_most(0.85, THREAD, "computing", |walls| walls.computing));
        let ratio = walls[SELECT].computing / walls[THREAD].computing;
        let text =
            format!("computing: `select` takes at least 1.2 times as long as `thread`: {ratio:.2}");
        claims.push(Claim { text, holds: ratio >= 1.2 });
    }
    claims
}

fn unclaimed(walls: &[Walls; MODELS.len()]) -> Vec<String> {
    let why = "computing: what takes two processors; a process for each was given no more than one";
    if had_processors(walls) { vec![] } else { vec![why.to_owned()] }
}
