//! One client reads a large file slowly. Three others come, fetch a small file, and go.
//!
//! **Predict:** how long does the slowest of the three's visits take, in each model? And which visit is
//! the slowest one of a hundred (p99)?
//!
//! **What one sees:** one at a time means that the three wait until the slow one has all of its file.
//! In the other models they notice nothing: whoever waits for the slow one is its own thread or process,
//! or nobody.
//!
//! **And p99 lies.** Each of the three waits *once*, before its first visit; all later ones are fast.
//! Three visits of three hundred are not among the slowest one of a hundred, so the worst server there
//! is has the best p99. A client that asks again only when it was answered (a *closed loop*) asks
//! nothing while it waits: the more a server stands still, the fewer are counted who suffer from it.
//! Look at the maximum, or count those who would have come.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::super::findings::{Claim, Column, Findings, Row};
use super::super::{Lab, rounds};
use super::{
    ITERATIVE, MODELS, PROCESS, SELECT, Scale, Subject, THREAD, at_once, joined, keep_less, times,
};

/// How many are fast.
const CLIENTS: u32 = 3;

/// What the slow one reads: more than all buffers between it and the server hold, a few MiB on each
/// side. A smaller file would have left the server at once, and lie in the kernel.
const FILE: &str = "large.bin";
const FILE_BYTES: u64 = 32 << 20;

/// How much the client passes on at a time: so many pauses the slow one makes.
const BLOCK_BYTES: u64 = 512 * 1024;

/// What the fast ones met, in milliseconds.
#[derive(Clone, Copy)]
struct Latency {
    max: f64,
    p99: f64,
}

pub(super) fn measure(lab: &Lab, scale: &Scale, runs: u32) -> io::Result<Findings> {
    let mut latencies = [Latency { max: f64::MAX, p99: f64::MAX }; MODELS.len()];
    let claims = rounds::measure(runs, || {
        for (best, model) in latencies.iter_mut().zip(MODELS) {
            let now = disturb(&Subject::start(lab, model)?, scale)?;
            keep_less(&mut best.max, now.max);
            keep_less(&mut best.p99, now.p99);
        }
        Ok(claims(&latencies))
    })?;
    let row =
        |(of, model): (&Latency, &str)| Row { label: model.into(), values: vec![of.max, of.p99] };
    Ok(Findings {
        name: "models",
        title: format!(
            "One slow reader, {CLIENTS} fast clients with {} visits each: how long do these take?",
            scale.visits
        ),
        subject: "model",
        columns: vec![
            Column { title: "max ms", unit: Some("the slowest visit, ms"), decimals: 1 },
            Column { title: "p99 ms", unit: None, decimals: 1 },
        ],
        rows: latencies.iter().zip(MODELS).map(row).collect(),
        notes: vec![],
        why: "\
One at a time, everybody waits for whoever is slowest. Each of the three waited once, and three visits
of hundreds are not among the slowest one of a hundred: p99 does not know of them.",
        claims,
        unclaimed: vec![],
    })
}

/// The visits of the fast ones while the slow one reads.
fn disturb(subject: &Subject, scale: &Scale) -> io::Result<Latency> {
    subject.lay(FILE, FILE_BYTES)?;
    let (over, begun) = (&AtomicBool::new(false), sync_channel(1));
    let pauses = u32::try_from(FILE_BYTES / BLOCK_BYTES).unwrap_or(u32::MAX);
    let mut sink = Slowly { pause: scale.slow / pauses, begun: begun.0, over };
    let mut visits = thread::scope(|scope| {
        let slow = thread::Builder::new().spawn_scoped(scope, move || {
            let read = subject.client()?.get(FILE, &mut sink).map(drop);
            // It goes when the others have gone.
            if over.load(Ordering::Relaxed) { Ok(()) } else { read.map_err(io::Error::other) }
        })?;
        // Without a word from it, it says itself why.
        let visits = match begun.1.recv() {
            Ok(()) => at_once(CLIENTS, |_| (0..scale.visits).map(|_| time(subject)).collect()),
            Err(_) => Ok(Vec::<Vec<Duration>>::new()),
        };
        over.store(true, Ordering::Relaxed);
        joined(slow)?;
        Ok::<_, io::Error>(visits?.concat())
    })?;
    visits.sort_unstable();
    let ms = |time: Option<&Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    // As many are slower than this as one of a hundred.
    let rank = (visits.len() * 99).div_ceil(100);
    Ok(Latency { max: ms(visits.last()), p99: ms(visits.get(rank.saturating_sub(1))) })
}

fn time(subject: &Subject) -> io::Result<Duration> {
    let begun = Instant::now();
    subject.visit()?;
    Ok(begun.elapsed())
}

/// Where bytes go that are taken slowly, until it is over.
struct Slowly<'o> {
    pause: Duration,
    begun: SyncSender<()>,
    over: &'o AtomicBool,
}

impl Write for Slowly<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Nobody listens any more after the first time.
        let _ = self.begun.try_send(());
        if self.over.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        thread::sleep(self.pause);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn claims(latencies: &[Latency; MODELS.len()]) -> Vec<Claim> {
    let of = |model: usize| (MODELS[model], latencies[model].max);
    let longer = |(model, least)| times(least, of(ITERATIVE), of(model), "slowest visit");
    [(SELECT, 20.0), (THREAD, 20.0), (PROCESS, 5.0)].map(longer).into()
}
