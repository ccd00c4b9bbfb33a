//! What a server uses: the process that was started, and all that it has started since.
//!
//! Some servers are one process, some have one or two for each client. What a child used counts for
//! its parent as soon as the parent has waited for it (`cutime` in proc(5)), so nothing is lost when
//! children end between two looks. The system counts in steps of 10 ms.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::gauges;

/// How long nothing may have come or gone for a tree to be at rest.
const REST: Duration = Duration::from_millis(20);
/// How long to wait for that.
const REST_PATIENCE: Duration = Duration::from_secs(1);
/// How long between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// A process and its descendants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tree {
    root: u32,
}

impl Tree {
    pub(crate) fn of(root: u32) -> Self {
        Self { root }
    }

    /// All that are there now, each after its parent.
    pub(crate) fn members(self) -> Vec<u32> {
        let mut members = vec![self.root];
        let mut seen = 0;
        while let Some(id) = members.get(seen).copied() {
            seen += 1;
            let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else { continue };
            for thread in threads.flatten() {
                let children = fs::read_to_string(thread.path().join("children"));
                let children = children.unwrap_or_default();
                members.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
            }
        }
        members
    }

    /// The processor time that was used so far, also by those who have ended.
    pub(crate) fn cpu(self) -> Duration {
        let ticks: u64 = self.members().into_iter().filter_map(ticks).sum();
        let a_second = rustix::param::clock_ticks_per_second().max(1);
        Duration::from_millis(ticks * 1000 / a_second)
    }

    /// Memory that is no file's, in KiB: heaps, stacks, buffers.
    pub(crate) fn anonymous_kib(self) -> u64 {
        self.sum(gauges::anonymous_kib)
    }

    /// The same without counting anything twice that several processes share. This takes long where
    /// there are thousands of threads.
    pub(crate) fn anonymous_share_kib(self) -> u64 {
        self.sum(gauges::anonymous_share_kib)
    }

    /// A process that has ended meanwhile holds nothing.
    fn sum(self, gauge: fn(u32) -> std::io::Result<u64>) -> u64 {
        self.members().into_iter().filter_map(|id| gauge(id).ok()).sum()
    }

    /// Waits until no process comes or goes: those of clients who have left end a little later.
    pub(crate) fn rest(self) {
        let give_up = Instant::now() + REST_PATIENCE;
        let (mut members, mut since) = (self.members(), Instant::now());
        while since.elapsed() < REST && Instant::now() < give_up {
            thread::sleep(LOOK);
            let now = self.members();
            if now != members {
                (members, since) = (now, Instant::now());
            }
        }
    }
}

/// Of a process and of the children it has waited for: user and system time, in ticks.
fn ticks(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in parentheses, may hold anything, also `) `.
    let (_, fields) = stat.rsplit_once(')')?;
    // Field 14 of all (proc(5)); the state behind the name is the third.
    let times = fields.split_whitespace().skip(11).take(4);
    times.map(|time| time.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_tree_is_a_process_and_what_it_started_and_what_that_used_is_not_lost() {
        let script = "sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'; cat; true";
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let tree = Tree::of(shell.id());
        // The shell that counts has ended, and `cat` waits for somebody to speak.
        crate::eventually("the counting has ended", || tree.cpu() > Duration::ZERO);
        crate::eventually("it has a child", || tree.members().len() == 2);
        tree.rest();
        assert!(tree.anonymous_kib() > 0 && tree.anonymous_share_kib() > 0);
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert_eq!((tree.members(), tree.anonymous_kib()), (vec![shell.id()], 0));
    }
}
