//! A room full of people, some of whom never read.
//!
//! ```text
//!   members ──  one says a line, so many a second ──┐
//!               all note down what they hear        ├──► ferryd, a process of its own
//!   the deaf ─  come in and never read              │
//!   movers ───  files up and down, if asked for ────┘
//! ```
//!
//! Afterwards everybody who reads must have heard every line that they did not say, once, all in the
//! same order; the deaf must be out of the room and sent away; and the server must hold no more
//! memory than when the talking had begun. The first member says nothing, and so hears everything:
//! the others' lines are held against theirs.

mod files;
mod member;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use self::files::Movers;
pub use self::files::Speeds;
use self::member::{Clock, Heard, Member};
use crate::actor::Ferryd;
use crate::descriptors;
use crate::eventually;
use crate::gauges;
use crate::stress::histogram::Histogram;

/// The length of a line, in bytes: kernel buffers must not hide the deaf.
const LINE_BYTES: usize = 1900;

/// How many lines a second one session may say.
const PACE: u32 = 5;

/// When memory is looked at first: behind so many of the lines, one in so many.
const WARM_ONE_IN: u32 = 5;

/// What an allocator may keep that it need not, in KiB.
const SLACK_KIB: u64 = 4096;

/// How fast files must go while the room talks, at least, measured by how fast they went before.
const SPEED_MIN: f64 = 0.5;

/// What to play.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program that plays `ferryd`.
    pub stage: PathBuf,
    /// Everybody in the room.
    pub members: u32,
    /// Those of them who never read.
    pub deaf: u32,
    /// Lines a second, of all together.
    pub rate: u32,
    /// How long.
    pub seconds: u32,
    /// Whether files are moved meanwhile.
    pub files: bool,
    /// How long a line may be on its way, for 99 of 100, if that is to be judged.
    pub delay_max: Option<Duration>,
}

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    /// Lines that were said.
    pub said: u32,
    /// Lines that were heard, by all together.
    pub heard: u64,
    /// How long they were on their way, in milliseconds: half of them at most this.
    pub p50_ms: f64,
    /// 99 of 100 of them.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// The deaf that were put out.
    pub put_out: usize,
    /// The server's memory when a fifth of the lines was said, in KiB.
    pub begin_kib: u64,
    /// The server's memory when all were.
    pub end_kib: u64,
    /// How fast files went while nobody spoke.
    pub quiet: Option<Speeds>,
    /// How fast they went while the room talked.
    pub busy: Option<Speeds>,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// What was measured.
    pub figures: Figures,
    /// What was wrong.
    pub findings: Vec<String>,
}

impl Report {
    fn check(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.findings.push(otherwise());
        }
    }

    /// The figures, in lines for people.
    pub fn summary(&self) -> Vec<String> {
        let Figures { said, heard, p50_ms, p99_ms, max_ms, put_out, begin_kib, end_kib, .. } =
            &self.figures;
        let mut lines = vec![
            format!("{said} lines were said, and heard {heard} times"),
            format!("on their way: median {p50_ms:.2} ms, p99 {p99_ms:.2} ms, max {max_ms:.2} ms"),
            format!("{put_out} who never read were put out"),
            format!("memory of the server: {begin_kib} KiB early, {end_kib} KiB at the end"),
        ];
        for (when, speeds) in [("quiet", self.figures.quiet), ("busy", self.figures.busy)] {
            if let Some(Speeds { up, down }) = speeds {
                lines.push(format!("files, {when}: {up:.0} MiB/s up, {down:.0} MiB/s down"));
            }
        }
        lines
    }
}

/// Plays it. An error means that it could not be played.
pub fn run(settings: &Settings) -> Result<Report, Box<dyn Error>> {
    let readers = settings.members.saturating_sub(settings.deaf);
    if readers < 3 || settings.rate > PACE * (readers - 1) {
        return Err("too few who read to say so many lines a second, at five for each".into());
    }
    descriptors::need(settings.members * 2 + 100)?;
    let data = tempfile::tempdir()?;
    let places = (settings.members + 10).to_string();
    let server = Ferryd::start(&settings.stage, data.path(), &["--max-clients", &places])?;
    let mut report = Report::default();
    let clock = Arc::new(Clock { begun: Instant::now(), answered: AtomicU32::new(0) });
    let come = |n: u32| Member::come(server.address, format!("reader {n}"), &clock);
    let mut members = (0..readers).map(come).collect::<Result<Vec<_>, _>>()?;
    let come = |n: u32| Member::come_deaf(server.address, format!("deaf {n}"));
    let deaf = (0..settings.deaf).map(come).collect::<Result<Vec<_>, _>>()?;
    let talk = |report: &mut Report| talk(settings, &members, &clock, &server, report);
    if settings.files {
        let mut movers = Movers::come(&server.address.to_string())?;
        let quiet = Duration::from_secs(u64::from(settings.seconds / 3).clamp(1, 10));
        let ((), speeds) = movers.move_while(|| thread::sleep(quiet))?;
        report.figures.quiet = Some(speeds);
        let (talked, speeds) = movers.move_while(|| talk(&mut report))?;
        talked?;
        report.figures.busy = Some(speeds);
    } else {
        talk(&mut report)?;
    }
    let heard: Vec<Heard> = members.iter_mut().map(Member::heard).collect();
    report.figures.end_kib = gauges::anonymous_kib(server.id())?;
    report.judge(settings, &heard, &deaf);
    Ok(report)
}

/// Says all lines, in their time, and that it is over.
fn talk(
    settings: &Settings,
    members: &[Member],
    clock: &Clock,
    server: &Ferryd,
    report: &mut Report,
) -> Result<(), std::io::Error> {
    let (first, speakers) = members.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let lines = settings.rate * settings.seconds;
    let start = Instant::now();
    for (number, speaker) in (0..lines).zip(speakers.iter().cycle()) {
        let due = Duration::from_secs(1) * number / settings.rate;
        thread::sleep(due.saturating_sub(start.elapsed()));
        speaker.say(&member::text(number, clock.begun, LINE_BYTES))?;
        if number == lines / WARM_ONE_IN {
            report.figures.begin_kib = gauges::anonymous_kib(server.id())?;
        }
    }
    report.figures.said = lines;
    eventually("every line is answered", || clock.answered.load(Ordering::SeqCst) == lines);
    // Nobody hears themselves: it takes two to tell everybody.
    first.end()?;
    speakers.first().map_or(Ok(()), Member::end)
}

impl Report {
    fn judge(&mut self, settings: &Settings, heard: &[Heard], deaf: &[Member]) {
        let Some((first, others)) = heard.split_first() else { return };
        let mut all = first.lines.clone();
        all.sort_unstable();
        let said = self.figures.said;
        self.check(all.iter().copied().eq(0..said), || {
            format!("{} of {said} lines were heard by the first", all.len())
        });
        let speakers = u32::try_from(others.len()).unwrap_or(u32::MAX);
        for (n, other) in (0..).zip(others) {
            let expected = first.lines.iter().filter(|line| *line % speakers != n);
            self.check(expected.eq(&other.lines), || {
                format!("reader {} did not hear what the first one heard", n + 1)
            });
        }
        for (n, one) in heard.iter().enumerate() {
            let trouble = one.troubles.first();
            self.check(trouble.is_none(), || {
                format!("reader {n} {}", trouble.cloned().unwrap_or_default())
            });
        }
        self.judge_delays(settings, heard);
        self.judge_deaf(first, deaf);
        let Figures { begin_kib, end_kib, quiet, busy, .. } = self.figures;
        self.check(end_kib <= begin_kib + begin_kib / 10 + SLACK_KIB, || {
            format!("the server's memory grew from {begin_kib} to {end_kib} KiB")
        });
        if let (Some(quiet), Some(busy)) = (quiet, busy) {
            let full = busy.up >= SPEED_MIN * quiet.up && busy.down >= SPEED_MIN * quiet.down;
            self.check(full, || format!("files went at {busy:?} MiB/s, and before at {quiet:?}"));
        }
    }

    fn judge_delays(&mut self, settings: &Settings, heard: &[Heard]) {
        let mut delays = Histogram::default();
        for one in heard {
            delays.absorb(&one.delays);
        }
        let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1000.0;
        let figures = &mut self.figures;
        figures.heard = delays.total();
        figures.p50_ms = ms(delays.quantile(500));
        figures.p99_ms = ms(delays.quantile(990));
        figures.max_ms = ms(delays.max());
        let p99 = figures.p99_ms;
        let fits = |most: Duration| p99 <= most.as_secs_f64() * 1000.0;
        self.check(settings.delay_max.is_none_or(fits), || {
            format!("one line of a hundred was {p99:.1} ms and more on its way")
        });
    }

    fn judge_deaf(&mut self, first: &Heard, deaf: &[Member]) {
        for member in deaf {
            let out = first.gone.contains(&member.name);
            self.figures.put_out += usize::from(out);
            self.check(out, || format!("{} never reads, and was not put out", member.name));
            self.check(member.is_sent_away(), || format!("{} was not sent away", member.name));
        }
        let others = first.gone.iter().filter(|gone| !deaf.iter().any(|one| one.name == **gone));
        let others: Vec<&String> = others.collect();
        self.check(others.is_empty(), || format!("these were put out as well: {others:?}"));
    }
}
