//! A siege: many who only want to be in the way, and one honest client, who was there before.
//!
//! ```text
//!   tricklers  say a byte now and then ─────────┐
//!   idlers     connect and say nothing ─────────┤──► ferryd --max-clients N, a process of its own
//!   honest     lists and puts, and looks at     │
//!              the clock ───────────────────────┘
//! ```
//!
//! The tricklers come first and take places; then more idlers than there are places left, at once.
//! The siege lasts until the server has sent the last trickler away.

mod honest;
mod idlers;
mod tricklers;

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use self::honest::{Honest, Times};
use self::idlers::Idlers;
use self::tricklers::{Kind, Tricklers};
use crate::PATIENCE;
use crate::actor::Ferryd;
use crate::descriptors;
use crate::dice::Dice;
use crate::gauges::{self, Gauges};

/// Descriptors this process needs besides the connections.
const SPARE_DESCRIPTORS: usize = 200;

/// How to besiege.
#[derive(Debug)]
pub struct Settings {
    /// The program that plays `ferryd`.
    pub stage: PathBuf,
    /// Those who say a byte now and then, half of them in a request line, half in a body.
    pub tricklers: usize,
    /// Those who connect and say nothing.
    pub idlers: usize,
    /// The server's places.
    pub max_clients: usize,
    /// The longest standstill the server bears, in seconds.
    pub stall: u32,
    /// How long the honest client works undisturbed, to compare with.
    pub quiet: Duration,
    /// How long one may take over a request line, and over a body.
    pub bounds: Bounds,
    /// How many times as long the honest client may wait, if that is to be judged.
    pub ratio_max: Option<u32>,
}

/// How long a trickler may be borne.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Who trickles a request line.
    pub header: Duration,
    /// Who trickles a body.
    pub body: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// What was seen, in lines for people.
    pub summary: Vec<String>,
    /// What was wrong.
    pub findings: Vec<String>,
}

impl Report {
    fn saw(&mut self, line: String) {
        self.summary.push(line);
    }

    fn check(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.findings.push(otherwise());
        }
    }
}

/// Besieges. An error means that the siege itself could not be held, or that the honest client was
/// not served.
pub fn run(settings: &Settings) -> Result<Report, Box<dyn Error>> {
    // Each connection costs a descriptor here as well.
    descriptors::need(u32::try_from(settings.tricklers + settings.idlers + SPARE_DESCRIPTORS)?)?;
    let data = tempfile::tempdir()?;
    let (places, stall) = (settings.max_clients.to_string(), settings.stall.to_string());
    let words = ["--max-clients", &places, "--stall-timeout", &stall];
    let server = Ferryd::start(&settings.stage, data.path(), &words)?;
    let mut honest = Honest::come(&server.address.to_string())?;
    let base = Gauges::of(server.id())?;
    let until = Instant::now() + settings.quiet;
    let quiet = honest.work(|| Instant::now() < until)?;
    let mut report = Report::default();
    let (besieged, tricklers, idlers) = besiege(settings, &server, &mut honest)?;
    report.patience(settings, &tricklers);
    report.door(settings, &idlers);
    report.times(settings, &quiet, &besieged);
    drop((tricklers, idlers));
    report.aftermath(&server, &base);
    let parts = gauges::names_in(&data.path().join("library/.ferry"));
    report.check(parts.is_empty(), || format!("parts are left: {parts:?}"));
    let status = server.stop()?;
    report.check(status.success(), || format!("SIGTERM ended the server with {status}"));
    Ok(report)
}

/// The siege itself, and how long the honest client's rounds took in it.
fn besiege(
    settings: &Settings,
    server: &Ferryd,
    honest: &mut Honest,
) -> Result<(Times, Tricklers, Idlers), Box<dyn Error>> {
    let over = AtomicBool::new(false);
    let mut tricklers = Tricklers::come(server.address, settings.tricklers)?;
    let longest = settings.bounds.header.max(settings.bounds.body);
    let (times, idlers) = thread::scope(|scope| {
        let idlers = scope.spawn(|| Idlers::come(server.address, settings.idlers));
        let besieging = scope.spawn(|| {
            tricklers.trickle(&mut Dice::new(1), longest);
            let idlers = idlers.join();
            over.store(true, Ordering::SeqCst);
            idlers
        });
        let times = honest.work(|| !over.load(Ordering::SeqCst));
        (times, besieging.join())
    });
    let idlers = idlers.ok().and_then(Result::ok).ok_or("the besiegers gave up")?;
    Ok((times?, tricklers, idlers))
}

impl Report {
    /// The tricklers were sent away in time.
    fn patience(&mut self, settings: &Settings, tricklers: &Tricklers) {
        let Bounds { header, body } = settings.bounds;
        for (kind, bound, what) in
            [(Kind::Header, header, "a request line"), (Kind::Body, body, "a body")]
        {
            let (all, borne) = tricklers.borne(kind);
            let [first, last] =
                [borne.first(), borne.last()].map(|time| time.copied().unwrap_or_default());
            self.saw(format!(
                "{all} trickled {what}: {} were sent away, after {:.1} to {:.1} s",
                borne.len(),
                first.as_secs_f64(),
                last.as_secs_f64()
            ));
            self.check(borne.len() == all && last <= bound, || {
                format!("who trickles {what} must be gone within {bound:?}")
            });
        }
    }

    /// Everybody at the door was told whether they may stay, and no more stayed than may.
    fn door(&mut self, settings: &Settings, idlers: &Idlers) {
        let Idlers { held, refused, other, .. } = idlers;
        self.saw(format!(
            "{} connected and said nothing: {held} were held, {refused} were told that all places \
             are taken",
            settings.idlers
        ));
        self.check(*held < settings.max_clients, || format!("{held} held, and one honest client"));
        self.check(held + refused == settings.idlers, || {
            let first: Vec<&String> = other.iter().take(3).collect();
            format!("{} were told nothing at the door: {first:?}", other.len())
        });
    }

    /// The honest client was served about as before.
    fn times(&mut self, settings: &Settings, quiet: &Times, besieged: &Times) {
        for (name, percent) in [("median", 50), ("p99", 99)] {
            let (before, during) = (quiet.percentile(percent), besieged.percentile(percent));
            let ratio = during.as_secs_f64() / before.as_secs_f64().max(f64::EPSILON);
            self.saw(format!(
                "a list and a put, {name}: {before:.2?} quiet, {during:.2?} besieged, ratio {ratio:.2}"
            ));
            let judged = settings.ratio_max.is_none_or(|most| ratio < f64::from(most));
            self.check(judged, || format!("besieged, the {name} is {ratio:.2} times as long"));
        }
        let (before, during) = (quiet.count(), besieged.count());
        self.saw(format!("over {before} rounds quiet and {during} besieged"));
        self.check(before > 0 && during > 0, || "the honest client was never served".into());
    }

    /// What the besiegers took is given back.
    fn aftermath(&mut self, server: &Ferryd, base: &Gauges) {
        let deadline = Instant::now() + PATIENCE;
        let now = || Gauges::of(server.id()).ok();
        while Instant::now() < deadline && now().is_some_and(|now| !now.is_back_to(base)) {
            thread::sleep(Duration::from_millis(20));
        }
        let now = now();
        self.saw(format!("afterwards: {now:?}, before: {base:?}"));
        self.check(now.is_some_and(|now| now.is_back_to(base)), || {
            format!("not given back: {}", gauges::inventory(server.id()))
        });
    }
}
