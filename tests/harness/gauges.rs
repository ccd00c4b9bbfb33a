//! What a process holds, as the system counts it.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// The gauges of a process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauges {
    /// Its threads.
    pub threads: usize,
    /// Its open descriptors.
    pub descriptors: usize,
    /// Its resident memory, in KiB.
    pub resident_kib: u64,
}

impl Gauges {
    /// Those of the process `id`. Fails when it is gone.
    pub fn of(id: u32) -> io::Result<Self> {
        Ok(Self {
            threads: fs::read_dir(format!("/proc/{id}/task"))?.count(),
            descriptors: fs::read_dir(format!("/proc/{id}/fd"))?.count(),
            resident_kib: resident_kib(id)?,
        })
    }

    /// Whether it holds no more threads and descriptors than `base`. Memory is another matter: an
    /// allocator keeps what it may need again.
    pub fn is_back_to(&self, base: &Self) -> bool {
        self.threads <= base.threads && self.descriptors <= base.descriptors
    }
}

/// The resident memory of the process `id`, in KiB.
pub fn resident_kib(id: u32) -> io::Result<u64> {
    status_kib(id, "VmRSS:")
}

/// The most resident memory the process `id` ever had, in KiB.
pub fn peak_resident_kib(id: u32) -> io::Result<u64> {
    status_kib(id, "VmHWM:")
}

/// The resident memory of the process `id` that is no file's, in KiB: heap, stacks, buffers.
pub fn anonymous_kib(id: u32) -> io::Result<u64> {
    status_kib(id, "RssAnon:")
}

/// The same, of pages that several processes share only its share: what a child that was forked has
/// not yet changed.
pub fn anonymous_share_kib(id: u32) -> io::Result<u64> {
    gauge_kib(id, "smaps_rollup", "Pss_Anon:")
}

/// For how long the threads that the process `id` has now were on a processor so far, in steps finer
/// than the system's ticks. What threads used that have ended is not in it.
pub fn running(id: u32) -> io::Result<Duration> {
    let mut all = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{id}/task"))? {
        // One that has ended meanwhile is not there.
        let Ok(times) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        let nanoseconds = times.split_whitespace().next().and_then(|time| time.parse().ok());
        all += Duration::from_nanos(nanoseconds.unwrap_or(0));
    }
    Ok(all)
}

fn status_kib(id: u32, gauge: &str) -> io::Result<u64> {
    gauge_kib(id, "status", gauge)
}

fn gauge_kib(id: u32, file: &str, gauge: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/{file}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(gauge));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("process {id} has no {gauge}")))
}

/// What the process `id` has open and which threads it has: for who looks for a leak.
pub fn inventory(id: u32) -> String {
    let entries = |folder: &str| fs::read_dir(format!("/proc/{id}/{folder}")).into_iter().flatten();
    let paths = |folder| entries(folder).flatten().map(|entry| entry.path());
    let open = paths("fd").filter_map(|path| fs::read_link(path).ok());
    let threads = paths("task").filter_map(|path| fs::read_to_string(path.join("comm")).ok());
    let mut all: Vec<String> = threads.map(|name| format!("thread {}", name.trim())).collect();
    all.extend(open.map(|target| target.display().to_string()));
    all.join(", ")
}

/// The names in a folder; none if it is not there.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
