//! What is put into a message. A plain text is no part: it might have come from outside, and would
//! act on the terminal. Whoever has one says what it is.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use common::escape::Safe;
use common::protocol::{Crc32, Kind, Stat};
use common::user::UserName;
use jiff::{Timestamp, ToSpan as _, Zoned};

use super::{Lang, Words, say};
use crate::address::Address;
use crate::display;

/// A number of bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size(pub(crate) u64);

/// What stands under a name that is taken: `12.4 MB, yesterday 14:02`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct There(pub(crate) Stat);

impl<T: Words + ?Sized> Words for &T {
    fn words(&self, lang: Lang) -> String {
        (**self).words(lang)
    }
}

/// What looks the same in every language.
macro_rules! neutral {
    ($($type:ty),*) => {
        $(impl Words for $type {
            fn words(&self, _: Lang) -> String {
                self.to_string()
            }
        })*
    };
}

neutral!(Safe<'_>, Address, Crc32, UserName, ExitStatus, i64, u64, u128, usize);

impl Words for Path {
    fn words(&self, _: Lang) -> String {
        display::local(self)
    }
}

impl Words for PathBuf {
    fn words(&self, lang: Lang) -> String {
        self.as_path().words(lang)
    }
}

impl Words for Size {
    fn words(&self, _: Lang) -> String {
        display::size(self.0)
    }
}

impl Words for There {
    fn words(&self, lang: Lang) -> String {
        let Self(Stat { kind, size, mtime }) = *self;
        let when = when(mtime, &Zoned::now(), lang);
        match kind {
            Kind::File => say!(
                lang,
                "{size}, {when}",
                "{size}，{when}",
                size = Size(size),
                when = Safe(&when)
            ),
            Kind::Folder => say!(lang, "a folder", "是文件夹"),
        }
    }
}

/// `today 14:02`, `yesterday 14:02` or the date, on the clock that shows `now`.
fn when(mtime: i64, now: &Zoned, lang: Lang) -> String {
    let Ok(time) = Timestamp::from_second(mtime) else { return display::time(mtime) };
    let time = time.to_zoned(now.time_zone().clone());
    let clock = time.strftime("%H:%M").to_string();
    let clock = Safe(&clock);
    match now.date().checked_sub(1.day()) {
        _ if time.date() == now.date() => {
            say!(lang, "today {clock}", "今天 {clock}", clock = clock)
        }
        Ok(yesterday) if time.date() == yesterday => {
            say!(lang, "yesterday {clock}", "昨天 {clock}", clock = clock)
        }
        _ => display::time_in(mtime, now.time_zone().clone()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::{TimeZone, offset};

    use super::*;

    #[test]
    fn today_and_yesterday_are_those_of_the_readers_clock() {
        let zone = TimeZone::fixed(offset(8));
        let noon = Timestamp::from_second(1_795_060_800).unwrap().to_zoned(zone);
        assert_eq!(noon.to_string(), "2026-11-19T12:00:00+08:00[+08:00]");
        let hour = 3600;
        for (hours, en, zh) in [
            (0, "today 12:00", "今天 12:00"),
            (-12, "today 00:00", "今天 00:00"),
            (-13, "yesterday 23:00", "昨天 23:00"),
            (-37, "2026-11-17 23:00", "2026-11-17 23:00"),
            (12, "2026-11-20 00:00", "2026-11-20 00:00"),
        ] {
            let mtime = noon.timestamp().as_second() + hours * hour;
            assert_eq!([Lang::En, Lang::Zh].map(|lang| when(mtime, &noon, lang)), [en, zh]);
        }
        assert_eq!(when(i64::MAX, &noon, Lang::En), "9223372036854775807 s");
    }
}
