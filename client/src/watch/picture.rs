//! A state table as lines of text.
//!
//! ```text
//! ferryd 127.0.0.1:9021   model thread   up 12m   sessions 6
//! thread  client          command    state       on / held by         for    in       out
//! c02     127.0.0.1 wang  PUT a.txt  WAIT_FILE   /library/a.txt <- c01 2.0s  47 B     139 B
//! ```
//!
//! States have their names *and* a colour, so nothing is lost to who sees no colours. Whoever is idle
//! stands below those who are not. Every text of the server's is made safe, and cut and padded by the
//! columns it takes (`columns`).

mod age;

use common::escape::Safe;
use common::size::size;
use common::watch::{File, Queue, Table, Thread};
use unicode_width::UnicodeWidthStr as _;

use self::age::{age, whole};
use crate::columns::{cut, cut_front, cut_path};
use crate::glyphs::Glyphs;
use crate::words::{Lang, OnScreen, Size, Words as _};

/// What stands in a cell that has nothing to say.
const NOTHING: &str = "-";

/// How long somebody on the other end may take before they are called slow, in milliseconds.
const SLOW_MS: u64 = 1000;

/// Of the names that are written so many are shown: first those that somebody waits for.
const FILES_MAX: usize = 6;

/// Queues that are always shown; of the outboxes only those with something in them.
const OWN_QUEUES: [&str; 3] = ["commands", "data", "journal"];

/// The columns that say what a thread works on, and on what it waits.
const COMMAND: usize = 2;
const REASON: usize = 4;

/// Cells of a bar.
const BAR: u64 = 8;

/// How a picture looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Columns there are.
    pub(crate) width: usize,
    /// Lines there are; any number if none.
    pub(crate) height: Option<usize>,
    pub(crate) colour: bool,
    pub(crate) glyphs: Glyphs,
    pub(crate) lang: Lang,
}

/// The picture of a table, a line each.
pub(crate) fn lines(table: &Table, server: &str, look: Look) -> Vec<String> {
    let painter = Painter { table, look };
    let mut lines = vec![painter.title(server)];
    let below = painter.below();
    let room = look.height.map_or(usize::MAX, |height| height.saturating_sub(below.len() + 3));
    lines.extend(painter.threads(room.max(1)));
    lines.extend(below);
    lines.truncate(look.height.unwrap_or(usize::MAX));
    lines
}

struct Painter<'t> {
    table: &'t Table,
    look: Look,
}

/// A text in a list, and the colour of it.
type Item = (String, Option<&'static str>);

/// A text in a column.
struct Cell {
    text: String,
    colour: Option<&'static str>,
}

impl Painter<'_> {
    fn words(&self, words: &OnScreen<'_>) -> String {
        words.words(self.look.lang)
    }

    fn title(&self, server: &str) -> String {
        let Table { model, class, up_s, counters, .. } = self.table;
        let up = whole(*up_s);
        let title = self.words(&OnScreen::Title {
            server: Safe(server),
            model: Safe(model),
            class: Safe(if *class { "   CLASS" } else { "" }),
            up: Safe(&up),
            sessions: counters.sessions,
        });
        self.painted(&self.cut(&title, self.look.width), Some("1"))
    }

    /// A line of headings, then one for each thread, those that wait for somebody to ask or to speak
    /// behind the others; of more than there is room for, a line that says so.
    fn threads(&self, room: usize) -> Vec<String> {
        let (idle, busy): (Vec<_>, Vec<_>) =
            self.table.threads.iter().partition(|thread| thread.rests());
        let all: Vec<&Thread> = busy.into_iter().chain(idle).collect();
        let hidden = all.len().saturating_sub(room) as u64;
        let shown = &all[..all.len().min(room)];
        let rows: Vec<[Cell; 8]> = shown.iter().map(|thread| self.row(thread)).collect();
        let widths = self.widths(&rows);
        let mut lines = vec![self.painted(&self.headings(&widths), Some("4"))];
        lines.extend(rows.iter().map(|row| self.columns(row, &widths)));
        let left_out = hidden + self.table.more.threads;
        if left_out > 0 {
            lines.push(self.words(&OnScreen::More { count: left_out }));
        }
        lines
    }

    fn row(&self, thread: &Thread) -> [Cell; 8] {
        let plain = |text: String| Cell { text, colour: None };
        let text = |text: &Option<String>| {
            text.as_ref().map_or(NOTHING.to_owned(), |text| Safe(text).to_string())
        };
        // The port tells nobody anything; `--json` has it.
        let host = thread.peer.as_deref().map(|peer| peer.rsplit_once(':').map_or(peer, |p| p.0));
        let client = [host, thread.user.as_deref()].map(Option::unwrap_or_default).join(" ");
        let client = Some(client.trim().to_owned()).filter(|client| !client.is_empty());
        let bytes = |count: u64| if count == 0 { NOTHING.into() } else { size(count) };
        [
            plain(Safe(&thread.name).to_string()),
            plain(text(&client)),
            plain(text(&thread.cmd)),
            Cell { text: Safe(&thread.state).to_string(), colour: colour_of(&thread.state) },
            plain(self.reason(thread)),
            plain(age(thread.since_ms)),
            plain(bytes(thread.received)),
            plain(bytes(thread.sent)),
        ]
    }

    /// On what a thread waits, and who holds that.
    fn reason(&self, thread: &Thread) -> String {
        let slow = thread.since_ms >= SLOW_MS;
        match (thread.state.as_str(), &thread.on, &thread.by) {
            ("SEND", ..) if slow => self.words(&OnScreen::SlowReader),
            ("READ", ..) if slow => self.words(&OnScreen::SlowSender),
            (_, Some(on), Some(by)) => {
                format!("{} {} {}", Safe(on), self.look.glyphs.from, Safe(by))
            }
            (_, Some(on), None) => match self.table.queues.iter().find(|queue| queue.name == *on) {
                Some(queue) => format!("{} {}/{}", Safe(on), queue.len, queue.cap),
                None => Safe(on).to_string(),
            },
            _ => NOTHING.into(),
        }
    }

    /// What each column takes: what is in it, but for two that share what is left.
    fn widths(&self, rows: &[[Cell; 8]]) -> [usize; 8] {
        // At least, at most. The two without an end are the command, and what is waited on. The most
        // of all and the least of these are 100 columns; a client has room for `192.168.100.123 guest`
        // and a name.
        const BOUNDS: [(usize, usize); 8] =
            [(6, 10), (6, 28), (9, 0), (11, 11), (9, 0), (5, 5), (8, 8), (8, 8)];
        let widest = |column: usize| rows.iter().map(|row| row[column].text.width()).max();
        let mut widths: [usize; 8] = std::array::from_fn(|column| {
            let (least, most) = BOUNDS[column];
            widest(column).unwrap_or(0).clamp(least, most.max(least))
        });
        let gaps = 5 * 2 + 2;
        let fixed: usize = widths.iter().sum::<usize>() - widths[2] - widths[4] + gaps;
        let free = self.look.width.saturating_sub(fixed);
        let wanted = |column: usize| widest(column).unwrap_or(0).max(12);
        // Who wants less than half leaves the rest to the other.
        let work = wanted(2).min((free / 2).max(free.saturating_sub(wanted(4))));
        widths[2] = work.max(BOUNDS[2].0);
        widths[4] = wanted(4).min(free.saturating_sub(widths[2])).max(BOUNDS[4].0);
        widths
    }

    fn headings(&self, widths: &[usize; 8]) -> String {
        let headings = [
            OnScreen::Thread,
            OnScreen::Client,
            OnScreen::Command,
            OnScreen::State,
            OnScreen::Reason,
            OnScreen::For,
            OnScreen::In,
            OnScreen::Out,
        ];
        self.columns(&headings.map(|words| Cell { text: self.words(&words), colour: None }), widths)
    }

    /// Texts to the left, numbers to the right.
    fn columns(&self, row: &[Cell; 8], widths: &[usize; 8]) -> String {
        let mut line = String::new();
        let mut used = 0;
        for (nth, (cell, width)) in row.iter().zip(widths).enumerate() {
            let text = match nth {
                COMMAND => cut_path(&cell.text, *width, self.look.glyphs.cut),
                REASON => cut_front(&cell.text, *width, self.look.glyphs.cut),
                _ => self.cut(&cell.text, *width),
            };
            let space = " ".repeat(width.saturating_sub(text.width()));
            let gap = ["  ", " ", ""][usize::from(nth >= 5) + usize::from(nth == 7)];
            if used + width > self.look.width {
                break;
            }
            used += width + gap.len();
            let text = self.painted(&text, cell.colour);
            let parts = if nth >= 5 { [&space, &text, gap] } else { [&text, &space, gap] };
            line.extend(parts);
        }
        line.trim_end().to_owned()
    }

    /// Queues, files, locks and counters.
    fn below(&self) -> Vec<String> {
        let mut lines = self.list(&OnScreen::Queues, self.queues());
        let files = self.files();
        if !files.is_empty() {
            lines.extend(self.list(&OnScreen::Files, files));
        }
        let locks = &self.table.locks;
        let locks = locks
            .iter()
            .map(|lock| (format!("{} {}/{}", Safe(&lock.name), lock.taken, lock.contended), None));
        lines.extend(self.list(&OnScreen::Locks, locks.collect()));
        lines.extend(self.list(&OnScreen::SoFar, self.counted()));
        lines
    }

    fn queues(&self) -> Vec<Item> {
        let is_own = |queue: &&Queue| OWN_QUEUES.contains(&queue.name.as_str());
        let (own, mut others): (Vec<_>, Vec<_>) = self.table.queues.iter().partition(is_own);
        others.retain(|queue| queue.len > 0);
        others.sort_by_key(|queue| std::cmp::Reverse(queue.len));
        own.into_iter().chain(others).map(|queue| self.queue(queue)).collect()
    }

    /// `data [########] 256/256, full, 12.0 kB, oldest 0.9s, 2 waiting`
    fn queue(&self, queue: &Queue) -> Item {
        let Queue { name, len, cap, bytes, oldest_ms } = queue;
        let is_full = len >= cap;
        // Something is never shown as nothing, nor what is not full as full.
        let most = if is_full { BAR } else { BAR - 1 };
        let filled = len.saturating_mul(BAR).div_ceil((*cap).max(1)).min(most);
        let Glyphs { full, empty, .. } = self.look.glyphs;
        let times = |glyph: &str, count: u64| glyph.repeat(usize::try_from(count).unwrap_or(0));
        let mut said = vec![format!(
            "{} [{}{}] {len}/{cap}",
            Safe(name),
            times(full, filled),
            times(empty, BAR - filled)
        )];
        if is_full {
            said.push(self.words(&OnScreen::Full));
        }
        said.extend(bytes.filter(|bytes| *bytes > 0).map(size));
        said.extend(oldest_ms.map(|ms| self.words(&OnScreen::Oldest { age: Safe(&age(ms)) })));
        let waits = |thread: &&Thread| {
            thread.state == "WAIT_QFULL" && thread.on.as_deref() == Some(name.as_str())
        };
        let count = self.table.threads.iter().filter(waits).count() as u64;
        if count > 0 {
            said.push(self.words(&OnScreen::Waiting { count }));
        }
        (said.join(", "), is_full.then_some("33"))
    }

    fn files(&self) -> Vec<Item> {
        let (mut files, rest): (Vec<&File>, Vec<&File>) =
            self.table.files.iter().partition(|file| !file.waiters.is_empty());
        files.extend(rest);
        let hidden = files.len().saturating_sub(FILES_MAX) as u64 + self.table.more.files;
        files.truncate(FILES_MAX);
        let mut said: Vec<_> = files.into_iter().map(|file| self.file(file)).collect();
        if hidden > 0 {
            said.push((self.words(&OnScreen::More { count: hidden }), None));
        }
        said
    }

    /// `/library/a.txt: c01, 10 B of 100 B <- c02 c03`
    fn file(&self, file: &File) -> Item {
        let File { name, holder, received, size: all, waiters } = file;
        let holder = holder.as_deref().unwrap_or(NOTHING);
        let said = self.words(&OnScreen::Held {
            name: Safe(name),
            by: Safe(holder),
            received: Size(*received),
            size: Size(*all),
        });
        if waiters.is_empty() {
            return (said, None);
        }
        let names: Vec<String> = waiters.iter().map(|name| Safe(name).to_string()).collect();
        let said = [&said, self.look.glyphs.from, &names.join(" ")].join(" ");
        (said, Some("31"))
    }

    fn counted(&self) -> Vec<Item> {
        let counters = &self.table.counters;
        let said = [
            OnScreen::LetIn { count: counters.let_in, most: counters.sessions_most },
            OnScreen::TurnedAway { count: counters.turned_away },
            OnScreen::Received { files: counters.files_in, size: Size(counters.bytes_in) },
            OnScreen::Sent { files: counters.files_out, size: Size(counters.bytes_out) },
            OnScreen::Refusals { count: counters.refusals },
        ];
        said.iter().map(|words| (self.words(words), None)).collect()
    }

    /// A word, and things behind it, in as many lines as they need.
    fn list(&self, head: &OnScreen<'_>, things: Vec<Item>) -> Vec<String> {
        const INDENT: usize = 8;
        let head = self.cut(&self.words(head), INDENT - 1);
        let mut lines = vec![format!("{head}{}", " ".repeat(INDENT - head.width()))];
        let mut used = INDENT;
        for (text, colour) in things {
            let text = self.cut(&text, self.look.width.saturating_sub(INDENT));
            if used > INDENT && used + 3 + text.width() > self.look.width {
                lines.push(" ".repeat(INDENT));
                used = INDENT;
            }
            let gap = if used > INDENT { "   " } else { "" };
            used += gap.len() + text.width();
            if let Some(line) = lines.last_mut() {
                line.extend([gap, &self.painted(&text, colour)]);
            }
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }

    fn cut(&self, text: &str, width: usize) -> String {
        cut(text, width, self.look.glyphs.cut)
    }

    fn painted(&self, text: &str, colour: Option<&str>) -> String {
        match colour {
            Some(colour) if self.look.colour => format!("\x1b[{colour}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

/// Red for who waits for somebody, yellow for a full queue, dim for who has nothing to do.
fn colour_of(state: &str) -> Option<&'static str> {
    match state {
        "WAIT_FILE" | "WAIT_LOCK" => Some("31"),
        "WAIT_QFULL" => Some("33"),
        "SLEEP" => Some("95"),
        "RUN" => Some("32"),
        "SEND" => Some("34"),
        "DISK" => Some("35"),
        "READ" => Some("36"),
        "IDLE" | "ACCEPT" | "WAIT_QEMPTY" => Some("2"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
