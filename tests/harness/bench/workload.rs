//! What is done: one after the other by all who can.

use super::ground::Ground;
use super::scale::Scale;

/// Something that is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// One client fetches one large file.
    Down,
    /// One client sends it.
    Up,
    /// Several clients at once fetch a large file each.
    DownMany,
    /// Several clients at once send one each.
    UpMany,
    /// One client fetches many small files.
    SmallDown,
    /// One client sends them.
    SmallUp,
    /// Come, fetch a small file, go; one program plays all the clients.
    Visits,
    /// The same with a name and a password.
    LoginVisits,
    /// The same as a guest, each visit a client process from its start to its end.
    Processes,
    /// Sessions that do nothing, and how the next client is served.
    Idle,
    /// Many more of them.
    Crowd,
}

/// What one client process is asked to do.
#[derive(Debug, Clone)]
pub(super) enum Errand {
    /// Fetch these files of the served folder into that one of the ground's folders.
    Fetch(Vec<String>, String),
    /// Send these files of the source folder to where clients may write.
    Store(Vec<String>),
    /// Make so many visits, so many at a time, logging in or not.
    Visit { count: u32, at_once: u32, login: bool },
    /// Come in so many times, say `READY`, and stay until stdin closes.
    Hold(u32),
}

impl Workload {
    /// All there are, in the order they are done.
    pub const ALL: [Self; 11] = [
        Self::Down,
        Self::Up,
        Self::DownMany,
        Self::UpMany,
        Self::SmallDown,
        Self::SmallUp,
        Self::Visits,
        Self::LoginVisits,
        Self::Processes,
        Self::Idle,
        Self::Crowd,
    ];

    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::DownMany => "down-many",
            Self::UpMany => "up-many",
            Self::SmallDown => "small-down",
            Self::SmallUp => "small-up",
            Self::Visits => "visits",
            Self::LoginVisits => "login-visits",
            Self::Processes => "processes",
            Self::Idle => "idle",
            Self::Crowd => "crowd",
        }
    }

    /// It in a line, with its sizes.
    pub fn title(self, scale: &Scale) -> String {
        let Scale { big, parts, part, small_files, small, visited, .. } = scale;
        let Scale { visits, processes, at_once, idle, crowd, .. } = scale;
        let [big, part, small, visited] = [*big, *part, *small, *visited].map(size);
        match self {
            Self::Down => format!("download of {big}"),
            Self::Up => format!("upload of {big}"),
            Self::DownMany => format!("{parts} downloads of {part} at once"),
            Self::UpMany => format!("{parts} uploads of {part} at once"),
            Self::SmallDown => format!("download of {small_files} × {small}"),
            Self::SmallUp => format!("upload of {small_files} × {small}"),
            Self::Visits => format!("{visits} visits for {visited}, {at_once} at a time"),
            Self::LoginVisits => {
                format!("{visits} visits with a password for {visited}, {at_once} at a time")
            }
            Self::Processes => {
                format!("{processes} client processes for {visited}, {at_once} at a time")
            }
            Self::Idle => format!("{idle} idle sessions"),
            Self::Crowd => format!("{crowd} idle sessions"),
        }
    }

    /// Whether file bytes come to the server, so that its disk may matter.
    pub fn is_upload(self) -> bool {
        matches!(self, Self::Up | Self::UpMany | Self::SmallUp)
    }

    /// Whether it moves so much that memory never used before would be most of what is timed.
    pub(super) fn is_bulk(self) -> bool {
        matches!(self, Self::Down | Self::Up | Self::DownMany | Self::UpMany)
    }

    /// How many sessions do nothing, if that is what it is about.
    pub(super) fn held(self, scale: &Scale) -> Option<u32> {
        match self {
            Self::Idle => Some(scale.idle),
            Self::Crowd => Some(scale.crowd),
            _ => None,
        }
    }

    /// The client processes of a workload that moves files, and how many of them run at a time.
    pub(super) fn errands(self, ground: &Ground) -> (Vec<Errand>, usize) {
        let scale = ground.scale();
        let out = || Ground::OUT.to_owned();
        let fetch = |files: Vec<String>| Errand::Fetch(files, out());
        let visit = |login| Errand::Visit { count: scale.visits, at_once: scale.at_once, login };
        let all = match self {
            Self::Down => vec![fetch(vec![Ground::BIG.into()])],
            Self::Up => vec![Errand::Store(vec![Ground::BIG.into()])],
            Self::DownMany => ground.parts().map(|part| fetch(vec![part])).collect(),
            Self::UpMany => ground.parts().map(|part| Errand::Store(vec![part])).collect(),
            Self::SmallDown => vec![fetch(ground.small_files().collect())],
            Self::SmallUp => vec![Errand::Store(ground.small_files().collect())],
            Self::Visits => vec![visit(false)],
            Self::LoginVisits => vec![visit(true)],
            // Each has a folder of its own: no client has to make way for another.
            Self::Processes => (0..scale.processes)
                .map(|n| Errand::Fetch(vec![Ground::ONE.into()], format!("{}/{n}", Ground::OUT)))
                .collect(),
            Self::Idle | Self::Crowd => vec![],
        };
        let at_once = match self {
            Self::Processes => scale.at_once as usize,
            _ => all.len(),
        };
        (all, at_once)
    }
}

/// A number of bytes in the largest unit that divides it.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB"];
    let power = (0..units.len()).rev().find(|power| bytes.is_multiple_of(1 << (10 * power)));
    let power = power.filter(|_| bytes > 0).unwrap_or(0);
    format!("{} {}", bytes >> (10 * power), units.get(power).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_says_how_much_in_the_units_people_use() {
        let full = Scale::full();
        assert_eq!(Workload::Down.title(&full), "download of 1 GiB");
        assert_eq!(Workload::UpMany.title(&full), "16 uploads of 64 MiB at once");
        assert_eq!(Workload::SmallUp.title(&full), "upload of 2000 × 4 KiB");
        assert_eq!([0, 1500, 3 << 20].map(size), ["0 B", "1500 B", "3 MiB"]);
    }
}
