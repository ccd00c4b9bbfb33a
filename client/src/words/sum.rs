//! What came of the files of one command, in one line at its end.

use std::time::Duration;

use common::escape::Safe;

use super::{Lang, Size, Words, say};

/// What came of many files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sum<'a> {
    pub(crate) moved: u64,
    pub(crate) bytes: u64,
    pub(crate) time: Duration,
    /// On the other side already, byte for byte.
    pub(crate) unchanged: u64,
    /// Links and the like.
    pub(crate) left_out: u64,
    pub(crate) hidden: u64,
    /// Some of the hidden.
    pub(crate) hidden_names: &'a [String],
    pub(crate) failed: u64,
}

impl Sum<'_> {
    /// Bytes in a second.
    fn rate(&self) -> Option<u64> {
        // In whole milliseconds: what takes less has no rate worth the name.
        let rate = (u128::from(self.bytes) * 1000).checked_div(self.time.as_millis())?;
        u64::try_from(rate).ok().filter(|_| self.bytes > 0)
    }

    fn moved(&self, lang: Lang) -> String {
        let Self { moved, bytes, .. } = *self;
        let seconds = format!("{:.1}", self.time.as_secs_f64());
        let (bytes, seconds) = (Size(bytes), Safe(&seconds));
        let mut said = if moved == 1 {
            say!(
                lang,
                "1 file, {bytes} in {seconds} s",
                "1 个文件，{bytes}，用时 {seconds} 秒",
                bytes = bytes,
                seconds = seconds
            )
        } else {
            say!(
                lang,
                "{moved} files, {bytes} in {seconds} s",
                "{moved} 个文件，{bytes}，用时 {seconds} 秒",
                moved = moved,
                bytes = bytes,
                seconds = seconds
            )
        };
        if let Some(rate) = self.rate() {
            said += &say!(lang, ", {rate}/s", "，每秒 {rate}", rate = Size(rate));
        }
        said
    }
}

impl Words for Sum<'_> {
    /// `5 files, 1.2 MB in 0.1 s, 12.0 MB/s; 3 unchanged; 2 left out; 4 hidden left out (.git, …);
    /// 1 failed`.
    fn words(&self, lang: Lang) -> String {
        let Self { unchanged, left_out, hidden, hidden_names, failed, .. } = *self;
        let mut said = self.moved(lang);
        if unchanged > 0 {
            said += &say!(lang, "; {n} unchanged", "；{n} 个未变", n = unchanged);
        }
        if left_out > 0 {
            said += &say!(lang, "; {n} left out", "；跳过 {n} 个", n = left_out);
        }
        if hidden > 0 {
            let more = if hidden > hidden_names.len() as u64 { ", …" } else { "" };
            let names = format!("{}{more}", hidden_names.join(", "));
            said += &say!(
                lang,
                "; {n} hidden left out ({names})",
                "；跳过 {n} 个隐藏的（{names}）",
                n = hidden,
                names = Safe(&names)
            );
        }
        if failed > 0 {
            said += &say!(lang, "; {n} failed", "；{n} 个失败", n = failed);
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_counts_only_what_there_is() {
        let sum = Sum {
            moved: 2,
            bytes: 5000,
            time: Duration::from_secs(2),
            unchanged: 0,
            left_out: 1,
            hidden: 3,
            hidden_names: &[".git", "\u{1b}"].map(str::to_owned),
            failed: 1,
        };
        assert_eq!(
            sum.words(Lang::En),
            r"2 files, 5.0 kB in 2.0 s, 2.5 kB/s; 1 left out; 3 hidden left out (.git, \u{1b}, …); 1 failed"
        );
        assert_eq!(
            sum.words(Lang::Zh),
            r"2 个文件，5.0 kB，用时 2.0 秒，每秒 2.5 kB；跳过 1 个；跳过 3 个隐藏的（.git, \u{1b}, …）；1 个失败"
        );
        let none = Sum { moved: 0, bytes: 0, hidden: 0, failed: 0, left_out: 0, ..sum };
        let none = Sum { unchanged: 1, ..none };
        assert_eq!(none.words(Lang::En), "0 files, 0 B in 2.0 s; 1 unchanged");
    }
}
