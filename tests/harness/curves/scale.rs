//! How far everything grows.

/// How far, and how often it is measured.
#[derive(Debug, Clone)]
pub struct Scale {
    /// How many clients share the work.
    pub clients: Vec<u32>,
    /// The work they share, each time the same: so many times a put, a get and a stat.
    pub rounds: u32,
    /// How large a file is, in bytes.
    pub sizes: Vec<u64>,
    /// How many files are in a folder.
    pub files: Vec<u32>,
    /// How many wait for a name.
    pub waiters: Vec<u32>,
    /// How often each is measured; the middle value counts.
    pub repeats: usize,
    /// How many times as much as for one client an operation may cost for many, if that is to be
    /// judged.
    pub ratio_max: Option<f64>,
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

impl Scale {
    /// As far as one machine goes. Under four minutes in a release build.
    pub fn full() -> Self {
        Self {
            clients: vec![1, 3, 10, 30, 100, 300, 1000],
            rounds: 6000,
            sizes: (0..=10).map(|power| KIB << (2 * power)).collect(),
            files: vec![10, 100, 1000, 10_000, 100_000, 1_000_000],
            waiters: vec![1, 3, 10, 30, 100, 300, 1000],
            repeats: 3,
            ratio_max: Some(1.5),
        }
    }

    /// Not as far. Under twenty seconds in a release build.
    pub fn quick() -> Self {
        Self {
            rounds: 2000,
            sizes: (0..=7).map(|power| KIB << (2 * power)).collect(),
            files: vec![10, 100, 1000, 10_000, 100_000],
            ..Self::full()
        }
    }

    /// Hardly at all, and nothing timed is judged: for a test on a busy machine.
    pub fn tiny() -> Self {
        Self {
            clients: vec![1, 4],
            rounds: 20,
            sizes: vec![KIB, MIB],
            files: vec![10, 250],
            waiters: vec![1, 20],
            repeats: 1,
            ratio_max: None,
        }
    }

    /// The most connections at a time; one who holds a name is there beside those who wait.
    pub(super) fn connections_max(&self) -> u32 {
        self.clients.iter().chain(&self.waiters).max().map_or(1, |most| most + 1)
    }

    /// The most that is on disk at a time, in bytes: the largest file, or all small ones.
    pub fn bytes_max(&self) -> u64 {
        let largest = self.sizes.iter().max().copied().unwrap_or(0);
        largest.max(self.small_files() * super::clients::FILE_BYTES as u64)
    }

    /// The most files that are there at a time.
    pub fn files_max(&self) -> u64 {
        self.small_files().max(self.files.iter().copied().map(u64::from).sum())
    }

    /// How many files the clients put, with those before the clock starts.
    fn small_files(&self) -> u64 {
        u64::from(self.rounds) + u64::from(self.clients.iter().max().copied().unwrap_or(0))
    }
}
