//! What Ferry has to reach, in one place; and whether it has.

use std::fmt;

use super::contestants::Standing;
use super::race::{Entry, Race};
use super::workload::Workload;

/// Whom Ferry is compared with.
#[derive(Debug, Clone, Copy)]
enum Whom {
    FastestPeer,
    FastestFtpPeer,
    Named(&'static str),
}

/// What has to be so.
#[derive(Debug, Clone, Copy)]
enum Claim {
    /// So many times as fast as they are.
    Speed(f64, Whom),
    /// No more processor time in the server than theirs uses.
    Cpu(Whom),
    /// The server's memory that is no file's, at most so many MiB.
    Mib(f64),
    /// A session that does nothing takes at most so many KiB.
    SessionKib(f64),
    /// Among them the next client is done within so many milliseconds.
    NextMs(f64),
    /// All of them were held to the end.
    Held,
}

/// Something to reach.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    workload: Workload,
    /// Who has to.
    who: &'static str,
    /// Whether on a disk, not in memory.
    on_disk: bool,
    claim: Claim,
}

/// What came of a target.
#[derive(Debug)]
pub struct Verdict {
    /// What was to be reached.
    pub target: Target,
    /// What was done, in a line, if it could be measured.
    pub title: Option<String>,
    /// How far it got: the figure that was to be reached, and whether it was. `None` if it was not
    /// measured, or not the one it is compared with.
    pub reached: Option<(f64, bool)>,
}

const fn target(workload: Workload, claim: Claim) -> Target {
    Target { workload, who: "ferry", on_disk: false, claim }
}

/// All of them.
const TARGETS: [Target; 26] = {
    use Claim::{Cpu, Held, Mib, NextMs, SessionKib, Speed};
    use Whom::{FastestFtpPeer, FastestPeer, Named};
    use Workload::{
        Crowd, Down, DownMany, Idle, LoginVisits, Processes, SmallDown, SmallUp, Up, UpMany, Visits,
    };
    [
        target(Down, Speed(1.0, FastestPeer)),
        target(Down, Speed(1.3, Named("vsftpd"))),
        target(Down, Speed(1.7, Named("rsync"))),
        target(Down, Cpu(Named("vsftpd"))),
        target(Up, Speed(1.1, FastestPeer)),
        target(Up, Speed(1.4, Named("vsftpd"))),
        target(Up, Speed(0.9, Named("raw"))),
        target(DownMany, Speed(1.0, FastestPeer)),
        target(DownMany, Mib(32.0)),
        target(UpMany, Speed(1.05, FastestPeer)),
        target(UpMany, Mib(32.0)),
        target(SmallUp, Speed(4.0, FastestFtpPeer)),
        target(SmallUp, Speed(1.5, Named("rsync"))),
        // Within 2.5 times of it.
        target(SmallUp, Speed(0.4, Named("raw-window"))),
        Target {
            workload: SmallUp,
            who: "ferry-full",
            on_disk: true,
            claim: Speed(1.0, FastestFtpPeer),
        },
        target(SmallDown, Speed(4.0, FastestFtpPeer)),
        target(SmallDown, Speed(2.0, Named("nginx"))),
        target(SmallDown, Speed(2.0, Named("rsync"))),
        target(SmallDown, Speed(0.4, Named("raw-window"))),
        target(Visits, Speed(3.0, FastestFtpPeer)),
        target(Processes, Speed(1.0, Named("nginx"))),
        target(LoginVisits, Speed(1.0, FastestPeer)),
        target(Idle, SessionKib(20.0)),
        target(Idle, NextMs(10.0)),
        target(Idle, Held),
        target(Crowd, Held),
    ]
};

/// What came of all of them.
pub fn judge(races: &[Race]) -> Vec<Verdict> {
    TARGETS.iter().map(|target| target.judge(races)).collect()
}

impl Whom {
    fn entry(self, race: &Race) -> Option<&Entry> {
        match self {
            Self::FastestPeer => race.fastest(Standing::is_peer),
            Self::FastestFtpPeer => race.fastest(|standing| standing == Standing::FtpPeer),
            Self::Named(name) => race.entry(name),
        }
    }
}

impl Target {
    fn judge(self, races: &[Race]) -> Verdict {
        let is_it = |race: &&Race| race.workload == self.workload && race.in_memory != self.on_disk;
        let race = races.iter().find(is_it);
        let reached = race.and_then(|race| self.reached(race));
        Verdict { target: self, title: race.map(|race| race.title.clone()), reached }
    }

    fn reached(self, race: &Race) -> Option<(f64, bool)> {
        if matches!(self.claim, Claim::Held) {
            let entry = race.entries.iter().find(|entry| entry.name == self.who)?;
            let held = entry.failure.is_none();
            return Some((f64::from(u8::from(held)), held));
        }
        let entry = race.entry(self.who)?;
        let cpu = |entry: &Entry| entry.median(|reading| Some(reading.cpu));
        let at_most = |value: f64, most: f64| (value, value <= most);
        Some(match self.claim {
            Claim::Speed(times, whom) => {
                let is = whom.entry(race)?.wall()? / entry.wall()?;
                (is, is >= times)
            }
            Claim::Cpu(whom) => at_most(cpu(entry)?, cpu(whom.entry(race)?)?),
            Claim::Mib(most) => {
                at_most(entry.median(|reading| Some(reading.anonymous_kib / 1024.0))?, most)
            }
            Claim::SessionKib(most) => at_most(entry.idle(|idle| idle.session_kib)?, most),
            Claim::NextMs(most) => at_most(entry.idle(|idle| idle.next * 1e3)?, most),
            Claim::Held => return None,
        })
    }

    /// Whose it is, and of what.
    pub fn subject(&self) -> String {
        let disk = if self.on_disk { ", on a disk" } else { "" };
        format!("{}: {}{disk}", self.who, self.workload.name())
    }

    /// How far it got, in words.
    pub fn shown(&self, value: f64) -> String {
        match self.claim {
            Claim::Speed(..) => format!("{value:.2}×"),
            Claim::Cpu(_) => format!("{value:.2} s"),
            Claim::Mib(_) => format!("{value:.1} MiB"),
            Claim::SessionKib(_) => format!("{value:.1} KiB"),
            Claim::NextMs(_) => format!("{value:.1} ms"),
            Claim::Held => if value > 0.0 { "held" } else { "not held" }.into(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.claim {
            Claim::Speed(times, whom) => write!(f, "≥ {times}× {whom}"),
            Claim::Cpu(whom) => write!(f, "server CPU ≤ {whom}"),
            Claim::Mib(most) => write!(f, "server buffers ≤ {most} MiB"),
            Claim::SessionKib(most) => write!(f, "≤ {most} KiB a session"),
            Claim::NextMs(most) => write!(f, "next client ≤ {most} ms"),
            Claim::Held => write!(f, "all held"),
        }
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FastestPeer => "the fastest peer",
            Self::FastestFtpPeer => "the fastest FTP peer",
            Self::Named(name) => name,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::bench::measure::Reading;

    fn entry(name: &'static str, standing: Standing, wall: f64, cpu: f64) -> Entry {
        let reading = Reading { wall, cpu, anonymous_kib: 2048.0, idle: None };
        Entry { readings: vec![reading], ..Entry::new(name, standing) }
    }

    fn race(workload: Workload, in_memory: bool, entries: Vec<Entry>) -> Race {
        Race { workload, title: String::new(), ground: String::new(), in_memory, entries }
    }

    fn verdict(races: &[Race], claim: &str) -> Option<(f64, bool)> {
        let all = judge(races);
        all.iter().find(|verdict| verdict.target.to_string() == claim).unwrap().reached
    }

    #[test]
    fn speed_is_compared_with_the_one_who_is_meant_and_what_is_not_there_is_not_judged() {
        let mut race = race(
            Workload::Down,
            true,
            vec![
                entry("ferry", Standing::Ours, 0.5, 0.3),
                entry("raw", Standing::Limit, 0.1, 0.1),
                entry("vsftpd", Standing::FtpPeer, 0.6, 0.25),
                entry("nginx", Standing::Peer, 0.55, 0.1),
            ],
        );
        let (times, met) = verdict(std::slice::from_ref(&race), "≥ 1× the fastest peer").unwrap();
        assert!(met && (times - 1.1).abs() < 1e-9, "{times}");
        let judged = |race: &Race, claim| verdict(std::slice::from_ref(race), claim);
        assert!(!judged(&race, "≥ 1.3× vsftpd").unwrap().1);
        assert!(!judged(&race, "server CPU ≤ vsftpd").unwrap().1);
        assert_eq!(judged(&race, "≥ 1.7× rsync"), None);
        race.entries[2].failure = Some("it fell".into());
        assert_eq!(judged(&race, "≥ 1.3× vsftpd"), None);
    }

    #[test]
    fn what_is_for_a_disk_is_not_judged_in_memory() {
        let entries = || {
            let full = entry("ferry-full", Standing::Ours, 1.0, 0.1);
            vec![full, entry("vsftpd", Standing::FtpPeer, 1.5, 0.1)]
        };
        let claim = "≥ 1× the fastest FTP peer";
        assert_eq!(verdict(&[race(Workload::SmallUp, true, entries())], claim), None);
        let on_disk = verdict(&[race(Workload::SmallUp, false, entries())], claim);
        assert!(on_disk.unwrap().1);
    }
}
