//! What goes out and is longer than a line, in the model *select*: listings and files.

use std::io::ErrorKind;

use common::protocol::{Outcome as Told, Response};

use super::{Awaits, Connection, Doing, Step, Stepped};
use crate::answer::Answer;
use crate::point;
use crate::session::sending::{SMALL_FILE_BYTES, download, page_or_refusal, small};
use crate::session::{End, Job};
use crate::store::{Listing, Opened};

/// Bytes of a file that go out in one step.
const SEND_BYTES: u64 = 1024 * 1024;

/// A file on its way out.
pub(super) struct Download {
    opened: Opened,
    from: u64,
    reached: u64,
}

impl Connection<'_> {
    /// A line for each page, a page in each step.
    pub(super) fn list(&mut self, mut pages: Box<Listing>, told: Told, job: Job) -> Step {
        let told = match pages.next() {
            Some(page) => {
                let told = self.gather(&page_or_refusal(page));
                point::pass("list.page");
                if !matches!(told, Told::Fail(_)) {
                    return self.go_on(Doing::Listing(pages, told, job));
                }
                told
            }
            None => told,
        };
        if told == Told::Empty {
            self.gather(&Answer::of(&Response::<()>::Empty));
        }
        job.note(&self.who, 0, told);
        self.go_idle()
    }

    pub(super) fn begin_sending(&mut self, opened: Opened, offset: u64, job: Job) -> Stepped {
        self.check_welcome()?;
        let bytes = opened.stat.size - offset;
        if bytes <= SMALL_FILE_BYTES {
            let (answer, body) = small(&opened, offset);
            let told = self.gather(&answer);
            self.output.extend_from_slice(&body);
            if told == Told::Ok {
                self.service.counters.sent(bytes);
            }
            job.note(&self.who, bytes, told);
            return Ok(self.go_idle());
        }
        self.gather(&Answer::of(&Response::Ok(download(&opened))));
        let file = Download { opened, from: offset, reached: offset };
        Ok(self.go_on(Doing::Sending(Box::new(file), job)))
    }

    /// A piece of a file. The kernel reads it from the disk meanwhile, if it must, and we wait.
    pub(super) fn send_file(&mut self, mut file: Box<Download>, job: Job) -> Stepped {
        let end = (file.reached + SEND_BYTES).min(file.opened.stat.size);
        // Who is sent away in the middle of it cannot be told, only cut off.
        let welcome = self.check_welcome().inspect_err(|_| self.input.incoming().cut());
        let sent = welcome.and_then(|()| self.flush()).and_then(|flushed| {
            let Download { opened, reached, .. } = &mut *file;
            let sent = if flushed {
                self.outgoing.turn().send_file(&opened.file, reached, end)
            } else {
                Err(ErrorKind::WouldBlock.into())
            };
            match sent {
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
                sent => sent.map(|()| true).map_err(End::unsent),
            }
        });
        let bytes = file.reached - file.from;
        match sent {
            Ok(false) => Ok(self.wait(Awaits::Client, Doing::Sending(file, job))),
            Ok(true) if file.reached == file.opened.stat.size => {
                self.service.counters.sent(bytes);
                job.note(&self.who, bytes, Told::Ok);
                Ok(self.go_idle())
            }
            Ok(true) => Ok(self.go_on(Doing::Sending(file, job))),
            Err(end) => {
                job.note(&self.who, bytes, format_args!("CUT {end}"));
                Err(end)
            }
        }
    }
}
