//! Telling the room what this session has put into the library, without telling too often.
//!
//! Who puts a hundred files is told of once a second: the last file, and how many more there were.
//! What is untold when the second is over is told by this session itself while it waits for its
//! next request, and at the latest when it ends.

use std::time::{Duration, Instant};

use crate::room::Room;
use crate::service::Who;
use crate::upload::Report;

/// At most one notice in this time.
const NOTICE_EVERY: Duration = Duration::from_secs(1);

/// What others have not been told of yet.
#[derive(Debug, Default)]
pub(crate) struct News {
    told: Option<Instant>,
    /// The last file, and its length in bytes.
    last: Option<(String, u64)>,
    /// How many there were before that one.
    more: u64,
}

impl News {
    /// A file was published. Homes are nobody else's business, and a room without ears costs nothing.
    pub(crate) fn add(&mut self, report: &Report, room: &Room<'_>) {
        if report.shared && !room.is_deserted() {
            self.remember(report.path.clone(), report.bytes);
        }
    }

    fn remember(&mut self, path: String, size: u64) {
        if self.last.replace((path, size)).is_some() {
            self.more += 1;
        }
    }

    /// How long it is until what there is may be told; `None` if there is nothing.
    pub(crate) fn due_in(&self, now: Instant) -> Option<Duration> {
        let told_ago = |told| now.saturating_duration_since(told);
        let wait =
            self.told.map_or(Duration::ZERO, |told| NOTICE_EVERY.saturating_sub(told_ago(told)));
        self.last.is_some().then_some(wait)
    }

    /// Tells what there is, if it is time.
    pub(crate) fn tell_if_due(&mut self, who: &Who<'_>, room: &Room<'_>, now: Instant) {
        if self.due_in(now).is_some_and(|wait| wait.is_zero()) {
            self.tell(who, room, now);
        }
    }

    /// Tells what there is.
    pub(crate) fn tell(&mut self, who: &Who<'_>, room: &Room<'_>, now: Instant) {
        if let Some((path, size, more)) = self.take(now) {
            room.notice(who.session, who.to_string(), path, size, more);
        }
    }

    fn take(&mut self, now: Instant) -> Option<(String, u64, u64)> {
        let (path, size) = self.last.take()?;
        self.told = Some(now);
        Some((path, size, std::mem::take(&mut self.more)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_within_a_second_is_counted_and_told_with_the_last_of_it() {
        let (mut news, begun) = (News::default(), Instant::now());
        assert_eq!(news.due_in(begun), None);
        news.remember("/library/a".into(), 1);
        assert_eq!(news.due_in(begun), Some(Duration::ZERO));
        assert_eq!(news.take(begun), Some(("/library/a".into(), 1, 0)));
        news.remember("/library/b".into(), 2);
        news.remember("/library/c".into(), 3);
        let soon = begun + NOTICE_EVERY / 4;
        assert_eq!(news.due_in(soon), Some(NOTICE_EVERY * 3 / 4));
        assert_eq!(news.due_in(begun + NOTICE_EVERY), Some(Duration::ZERO));
        assert_eq!(news.take(begun), Some(("/library/c".into(), 3, 1)));
        assert_eq!(news.take(begun), None);
    }
}
