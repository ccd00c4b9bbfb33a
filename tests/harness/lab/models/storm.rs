//! A storm of connections: five clients come, fetch a small file and go, again and again.
//!
//! **Predict:** what does the server's processor do for each connection, in each model? How many times
//! as much as the cheapest?
//!
//! **What one sees:** a thread costs a little, a process very much. *Iterative* and *select* make
//! nothing anew for a client. A thread is a stack and an entry in the scheduler's list. A process is a
//! new address space, a program that is loaded and linked into it, and in this server five threads of
//! its own, settings that are read, an account folder that is opened; and all of it is taken down
//! again for the next.
//!
//! **So** a process for each client is for clients who stay, or whom one does not trust; servers that
//! take that way and are visited often keep processes ready (*prefork*). And a thread is cheap enough
//! that few servers of files gain anything from a pool.

use std::io;
use std::time::Instant;

use super::super::findings::{Claim, Column, Findings, Row};
use super::super::{Lab, rounds};
use super::{
    ITERATIVE, MODELS, PROCESS, SELECT, SMALL_BYTES, Scale, Subject, THREAD, at_once, keep_less,
    times,
};

/// How many clients come at the same time, as in Stevens' comparison of such servers (UNP, chapter 30).
const CLIENTS: u32 = 5;

/// What a connection took.
#[derive(Clone, Copy)]
struct Cost {
    /// Of the server's processors, in microseconds.
    cpu: f64,
    /// On the clock, in microseconds.
    wall: f64,
}

pub(super) fn measure(lab: &Lab, scale: &Scale, runs: u32) -> io::Result<Findings> {
    let mut costs = [Cost { cpu: f64::MAX, wall: f64::MAX }; MODELS.len()];
    let claims = rounds::measure(runs, || {
        for (best, model) in costs.iter_mut().zip(MODELS) {
            let now = storm(&Subject::start(lab, model)?, scale.connections)?;
            keep_less(&mut best.cpu, now.cpu);
            keep_less(&mut best.wall, now.wall);
        }
        Ok(claims(&costs))
    })?;
    let row = |(cost, model): (&Cost, &str)| Row {
        label: model.into(),
        values: vec![cost.cpu, cost.cpu / costs[ITERATIVE].cpu, cost.wall],
    };
    Ok(Findings {
        name: "models",
        title: format!(
            "{CLIENTS} clients × {} connections, each for {SMALL_BYTES} bytes: what does one cost?",
            scale.connections
        ),
        subject: "model",
        columns: vec![
            Column { title: "server CPU µs", unit: Some("server CPU µs a connection"), decimals: 0 },
            Column { title: "× iterative", unit: None, decimals: 1 },
            Column { title: "clock µs", unit: None, decimals: 0 },
        ],
        rows: costs.iter().zip(MODELS).map(row).collect(),
        notes: vec![],
        why: "\
A thread is a stack and an entry in a list. A process is an address space, a program loaded into it, and
all that this program does until it can speak; for each client anew.",
        claims,
        unclaimed: vec![],
    })
}

fn storm(subject: &Subject, connections: u32) -> io::Result<Cost> {
    // Whoever comes first meets what nobody has touched yet.
    subject.visit()?;
    let tree = subject.tree();
    tree.rest();
    let (before, begun) = (tree.cpu(), Instant::now());
    at_once(CLIENTS, |_| (0..connections).try_for_each(|_| subject.visit()))?;
    let wall = begun.elapsed();
    tree.rest();
    let all = f64::from(CLIENTS * connections) / 1e6;
    let cpu = tree.cpu().saturating_sub(before);
    Ok(Cost { cpu: cpu.as_secs_f64() / all, wall: wall.as_secs_f64() / all })
}

fn claims(costs: &[Cost; MODELS.len()]) -> Vec<Claim> {
    let of = |model: usize| (MODELS[model], costs[model].cpu);
    let dearer = |model| times(2.0, of(PROCESS), of(model), "server CPU a connection");
    [ITERATIVE, SELECT, THREAD].map(dearer).into()
}
