//! Many connections that do nothing.
//!
//! **Predict:** of three hundred who connect, how many does each model greet? And how much memory does
//! one of them take?
//!
//! **What one sees:** *iterative* greets one. The others are connected, too: it is the kernel that
//! shakes hands, and they stand in its line. In *select* a client is a value of a few KiB; a thread is
//! its stack, of which it has touched some pages; a process has all of a program's own memory.
//!
//! Memory is counted as the sum of *shares* (PSS without files, `proc_pid_smaps(5)`): what several
//! processes use together is divided among them. The sum of what each of them *has* (RSS) counts the
//! program's text three hundred times, and shows a monster that is not there. What the kernel itself
//! keeps for a thread or a process is in neither.
//!
//! **So** for very many clients who are mostly silent the loop is worth its trouble. For three hundred,
//! or three thousand, threads are.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::findings::{Claim, Column, Findings, Row};
use super::super::{Lab, rounds};
use super::{ITERATIVE, MODELS, PROCESS, SELECT, Scale, Subject, THREAD, keep_less, times};
use crate::descriptors;
use crate::stress::figures::float;

/// Descriptors beside those of the connections.
const SPARE_DESCRIPTORS: u32 = 100;

/// When nobody was greeted for so long, nobody else will be.
const SILENCE: Duration = Duration::from_secs(1);

/// What became of the connections.
#[derive(Clone, Copy)]
struct Held {
    /// How many were greeted.
    served: f64,
    /// What each of those took, in KiB.
    kib: f64,
}

pub(super) fn measure(lab: &Lab, scale: &Scale, runs: u32) -> io::Result<Findings> {
    descriptors::need(scale.idle + SPARE_DESCRIPTORS)?;
    let mut held = [Held { served: 0.0, kib: f64::MAX }; MODELS.len()];
    let claims = rounds::measure(runs, || {
        for (best, model) in held.iter_mut().zip(MODELS) {
            let now = hold(&Subject::start(lab, model)?, scale.idle)?;
            best.served = best.served.max(now.served);
            keep_less(&mut best.kib, now.kib);
        }
        Ok(claims(&held, scale.idle))
    })?;
    let row = |(model, label): (usize, &str)| Row {
        label: label.into(),
        // Of one alone it cannot be said what each takes.
        values: vec![
            held[model].served,
            if model == ITERATIVE { f64::NAN } else { held[model].kib },
        ],
    };
    Ok(Findings {
        name: "models",
        title: format!("{} connections that do nothing: who is served, and for what?", scale.idle),
        subject: "model",
        columns: vec![
            Column { title: "served", unit: None, decimals: 0 },
            Column { title: "KiB each", unit: Some("KiB for an idle connection"), decimals: 1 },
        ],
        rows: MODELS.into_iter().enumerate().map(row).collect(),
        notes: vec![],
        why: "\
In `select` a client is a value; a thread is some pages of stack; a process is all that a program needs
for itself. One at a time, all but one are in the kernel's line: connected, and not served.",
        claims,
        unclaimed: vec![],
    })
}

fn hold(subject: &Subject, count: u32) -> io::Result<Held> {
    // What is had once for all is not theirs.
    subject.visit()?;
    let tree = subject.tree();
    tree.rest();
    let before = tree.anonymous_share_kib();
    let connect = |_| TcpStream::connect(subject.ferryd.address);
    let connections = (0..count).map(connect).collect::<io::Result<Vec<_>>>()?;
    let served = float(greeted(&connections)?);
    let grown = tree.anonymous_share_kib().saturating_sub(before);
    Ok(Held { served, kib: float(grown) / served })
}

/// How many of them hear a word.
fn greeted(connections: &[TcpStream]) -> io::Result<u64> {
    let silence = Timespec::try_from(SILENCE).map_err(io::Error::other)?;
    let (mut waiting, mut count) = (connections.iter().collect::<Vec<_>>(), 0);
    while !waiting.is_empty() {
        let mut looks: Vec<PollFd<'_>> =
            waiting.iter().map(|stream| PollFd::new(*stream, PollFlags::IN)).collect();
        if poll(&mut looks, Some(&silence))? == 0 {
            break;
        }
        let spoken: Vec<bool> = looks.iter().map(|look| !look.revents().is_empty()).collect();
        let mut spoken = spoken.into_iter();
        waiting.retain(|stream| {
            let spoke = spoken.next().unwrap_or_default();
            // The end of a connection is no word.
            count += u64::from(spoke && stream.peek(&mut [0]).is_ok_and(|bytes| bytes > 0));
            !spoke
        });
    }
    Ok(count)
}

fn claims(held: &[Held; MODELS.len()], count: u32) -> Vec<Claim> {
    let all = |model: usize, expected: u32| {
        let served = held[model].served;
        let text = format!("`{}` serves {expected} of {count} at a time: {served}", MODELS[model]);
        Claim { text, holds: (served - f64::from(expected)).abs() < 0.5 }
    };
    let of = |model: usize| (MODELS[model], held[model].kib);
    let mut claims = vec![all(ITERATIVE, 1)];
    claims.extend([SELECT, THREAD, PROCESS].map(|model| all(model, count)));
    claims.push(times(1.5, of(THREAD), of(SELECT), "memory a connection"));
    claims.push(times(5.0, of(PROCESS), of(THREAD), "memory a connection"));
    claims
}
