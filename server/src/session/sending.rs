//! What goes out and is longer than a line: listings and files.

use std::io;

use common::protocol::{Crc32, Download, Outcome, Page, Response};

use super::{End, Job, Session};
use crate::answer::Answer;
use crate::point;
use crate::refusal;
use crate::store::{Listing, Opened};

/// Files up to this size go out with their line in one piece, through the output buffer.
pub(crate) const SMALL_FILE_BYTES: u64 = 32 * 1024;

impl Session<'_> {
    /// A line for each page, as the folder is read: no listing is ever held whole.
    pub(super) fn send_pages(&mut self, pages: Listing, job: &Job) -> Result<(), End> {
        let mut outcome = Outcome::Empty;
        for page in pages {
            outcome = self.gather(&page_or_refusal(page));
            point::pass("list.page");
            self.flush_if_much()?;
            if let Outcome::Fail(_) = outcome {
                break;
            }
        }
        if outcome == Outcome::Empty {
            self.say(&Response::<()>::Empty);
        }
        self.note(job, 0, outcome);
        Ok(())
    }

    pub(super) fn send_file(&mut self, opened: &Opened, offset: u64, job: &Job) -> Result<(), End> {
        let bytes = opened.stat.size - offset;
        if bytes <= SMALL_FILE_BYTES {
            let outcome = self.send_small(opened, offset);
            if outcome == Outcome::Ok {
                self.service.counters.sent(bytes);
            }
            self.note(job, bytes, outcome);
            return Ok(());
        }
        let mut reached = offset;
        let sent = self.send_large(opened, &mut reached);
        match &sent {
            Ok(()) => {
                self.service.counters.sent(bytes);
                self.note(job, bytes, Outcome::Ok);
            }
            Err(end) => self.note(job, reached - offset, format_args!("CUT {end}")),
        }
        sent
    }

    fn send_small(&mut self, opened: &Opened, offset: u64) -> Outcome {
        let (answer, body) = small(opened, offset);
        self.output.extend_from_slice(&answer.line);
        self.output.extend_from_slice(&body);
        answer.outcome
    }

    /// LESSON: no queue and no writer on this side. A file that is read is never changed, only
    /// replaced, so there is nothing to protect; and its bytes go from the page cache to the
    /// socket inside the kernel.
    fn send_large(&mut self, opened: &Opened, offset: &mut u64) -> Result<(), End> {
        // This first, then the look at the wish: see the roster's argument.
        let _in_file = self.slot.in_file();
        self.check_welcome()?;
        self.say(&Response::Ok(download(opened)));
        let head = std::mem::take(&mut self.output);
        // One turn for the line and its bytes: nothing that is said in the room comes between.
        let mut turn = self.outgoing.turn();
        // Whatever breaks here breaks in the middle of what was promised: there is no line that
        // could still be said.
        turn.send_ahead(&head)
            .and_then(|()| turn.send_file(&opened.file, offset, opened.stat.size))
            .map_err(End::unsent)
    }
}

/// A page of a listing as a line.
pub(crate) fn page_or_refusal(page: io::Result<Page>) -> Answer {
    match page {
        Ok(page) => Answer::of(&Response::Ok(page)),
        Err(error) => refusal::of_reading(&error).into(),
    }
}

/// The line of a small file and its bytes.
pub(crate) fn small(opened: &Opened, offset: u64) -> (Answer, Vec<u8>) {
    match opened.read_rest(offset) {
        Ok(body) => {
            let mut download = download(opened);
            if offset == 0 {
                // Here are the bytes: to know their checksum costs nothing, and the client need
                // not ask.
                download.crc32 = download.crc32.or(Some(Crc32(crc32fast::hash(&body))));
            }
            (Answer::of(&Response::Ok(download)), body)
        }
        // Nothing of it has been promised yet.
        Err(error) => (refusal::of_reading(&error).into(), Vec::new()),
    }
}

pub(crate) fn download(opened: &Opened) -> Download {
    Download { size: opened.stat.size, mtime: opened.stat.mtime, crc32: opened.crc32 }
}
