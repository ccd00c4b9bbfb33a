//! Those who do what no good client would: talk nonsense, stop in the middle, vanish at any byte,
//! send wrong checksums. What they must hear is known; what they leave behind must be nothing.

use std::net::Shutdown;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::protocol::{Done as Bare, Download, Identity, Offset, Put, Reason, Request, Response};
use rustix::net::sockopt::set_socket_linger;

use super::raw::{Raw, eager_wire, line_of, put_of};
use super::speaker::{Answer, Speaker, Trouble, Upload};
use super::visit::{Parcel, Visit};
use super::world::PASSWORD;
use crate::PATIENCE;
use crate::content::sum_line;

/// Lines that are no requests, and after which the session goes on.
const NONSENSE: [&[u8]; 8] = [
    b"LIST",
    b"",
    b"[1,2,3]",
    b"\x00\x01\xfe\xff",
    b"{\"cmd\":\"LIST\",\"paht\":\"/\"}",
    b"{\"cmd\":\"DANCE\"}",
    b"{\"path\":\"/library/s1\"}",
    b"GET / HTTP/1.1\r",
];

/// Lines after which nobody can know where the next request begins.
const RUBBLE: [&[u8]; 4] = [
    b"{\"cmd\":\"PUT\",\"path\":\"/library/s1\"}",
    b"{\"cmd\":\"PUT\",\"path\":\"/library/s1\",\"size\":-1}",
    b"{\"cmd\":\"LIST\"",
    b"{{{{{{{{{{{{",
];

/// How often something is looked for that can be resumed.
const RESUME_TRIES: usize = 20;

type Done = Result<(), Trouble>;

fn wrong(text: String) -> Trouble {
    Trouble::Wrong(text)
}

impl Visit<'_> {
    /// One piece of mischief. A connection that is lost where it must not be is a trouble.
    pub(super) fn misbehave(&mut self) -> Done {
        self.world.tally.mischief.fetch_add(1, Ordering::Relaxed);
        match self.dice.below(9) {
            0 => self.talk_nonsense(),
            1 => self.talk_rubble(),
            2 => self.stop_in_a_line(),
            3 => self.send_a_wrong_checksum(),
            4 | 5 => self.stop_in_an_upload(),
            6 => self.stop_in_a_download(),
            7 => self.send_all_and_vanish(),
            _ => self.resume(),
        }
    }

    fn come(&self) -> Result<Raw, Trouble> {
        let mut raw = Raw::connect(self.world.server, PATIENCE)?;
        if let Some(account) = self.role.account() {
            match raw.login(&account, PASSWORD)? {
                Answer::Ok(_) => {}
                other => return Err(wrong(format!("LOGIN {account}: {other:?}"))),
            }
        }
        Ok(raw)
    }

    /// Goes without a word, in one of the ways there are.
    fn vanish(&mut self, mut raw: Raw) {
        match self.dice.below(3) {
            0 => {}
            1 => {
                let _ = set_socket_linger(raw.stream(), Some(Duration::ZERO));
            }
            _ => {
                let _ = raw.stream().shutdown(Shutdown::Write);
                // Hears the server out; what it says to half a request is not asked.
                while raw.response::<serde_json::Value>().is_ok() {}
            }
        }
    }

    fn talk_nonsense(&mut self) -> Done {
        let mut raw = Raw::connect(self.world.server, PATIENCE)?;
        for _ in 0..self.dice.between(1, 5) {
            let line = self.dice.pick(&NONSENSE).copied().unwrap_or_default();
            raw.send(&[line, b"\n"].concat())?;
            refused_for(&mut raw, Reason::BadRequest, line)?;
        }
        match raw.ask::<Identity>(&Request::Who {})? {
            Answer::Ok(identity) if identity.user == "guest" => Ok(()),
            other => Err(wrong(format!("after nonsense WHO says {other:?}"))),
        }
    }

    fn talk_rubble(&mut self) -> Done {
        let mut raw = Raw::connect(self.world.server, PATIENCE)?;
        let line = self.dice.pick(&RUBBLE).copied().unwrap_or_default();
        raw.send(&[line, b"\n{\"cmd\":\"WHO\"}\n"].concat())?;
        refused_for(&mut raw, Reason::BadRequest, line)?;
        match raw.response::<Identity>() {
            Err(Trouble::Lost(_)) => Ok(()),
            other => Err(wrong(format!("after rubble the session goes on: {other:?}"))),
        }
    }

    fn stop_in_a_line(&mut self) -> Done {
        let mut raw = self.come()?;
        let path = self.role.place(self.dice).path;
        let line = match self.dice.below(4) {
            0 => line_of(&Request::List { path: None }),
            1 => line_of(&Request::Delete { path }),
            2 => line_of(&Request::Put(Put { path, size: 100, ..Put::default() })),
            _ => line_of(&Request::Rename { to: format!("{path}-2"), from: path }),
        };
        raw.send(&line[..self.dice.below(line.len())])?;
        self.vanish(raw);
        Ok(())
    }

    fn send_a_wrong_checksum(&mut self) -> Done {
        let mut raw = self.come()?;
        let parcel = self.parcel(true);
        let (ledger, name) = (&self.world.ledger, &parcel.place.name);
        let pending = ledger.changing(name, Some(parcel.version));
        let mut wire = eager_wire(&parcel.upload());
        // The last digit stands before `"}` and the newline.
        let digit = wire.len() - 4;
        wire[digit] = if wire[digit] == b'0' { b'1' } else { b'0' };
        raw.send(&wire)?;
        let heard = raw.answer::<Bare>();
        pending.never();
        match heard? {
            Answer::Refused(Reason::ChecksumMismatch | Reason::Busy, _) => {}
            Answer::Exists if !parcel.upload().overwrite => {}
            other => return Err(wrong(format!("{name}: a wrong checksum is told {other:?}"))),
        }
        raw.ask::<Identity>(&Request::Who {}).map(drop)
    }

    /// Vanishes at any byte but the last.
    fn stop_in_an_upload(&mut self) -> Done {
        let mut raw = self.come()?;
        let parcel = self.parcel(false);
        let pending = self.world.ledger.changing(&parcel.place.name, Some(parcel.version));
        let sent = if parcel.upload().eager {
            let wire = eager_wire(&parcel.upload());
            raw.send(&wire[..self.dice.below(wire.len())])
        } else {
            self.send_part(&mut raw, &parcel.upload())
        };
        parcel.broke_off(self.world);
        self.vanish(raw);
        pending.never();
        // What was sent without waiting for a refusal may be answered by a close.
        match sent {
            Err(Trouble::Lost(_)) | Ok(()) => Ok(()),
            wrong => wrong,
        }
    }

    /// Asks, and then sends some of the body and its checksum line, but not all.
    fn send_part(&mut self, raw: &mut Raw, upload: &Upload<'_>) -> Done {
        let put = Request::Put(Put { eager: false, ..put_of(upload) });
        if let Answer::Ok(Offset { .. }) = raw.ask::<Offset>(&put)? {
            let wire = [upload.bytes, sum_line(upload.bytes).as_bytes()].concat();
            raw.send(&wire[..self.dice.below(wire.len())])?;
        }
        Ok(())
    }

    fn stop_in_a_download(&mut self) -> Done {
        let mut raw = self.come()?;
        let path = self.role.place(self.dice).path;
        raw.send(&line_of(&Request::Get { path, offset: None }))?;
        if self.dice.one_in(2) {
            let _ = raw.answer::<Download>()?;
        }
        // Never by hearing the server out: its bytes are no lines.
        let how = if self.dice.one_in(2) { None } else { Some(Duration::ZERO) };
        let _ = set_socket_linger(raw.stream(), how);
        Ok(())
    }

    fn send_all_and_vanish(&mut self) -> Done {
        let mut raw = self.come()?;
        let parcel = self.parcel(true);
        let pending = self.world.ledger.changing(&parcel.place.name, Some(parcel.version));
        raw.send(&eager_wire(&parcel.upload()))?;
        parcel.broke_off(self.world);
        self.vanish(raw);
        pending.unheard();
        Ok(())
    }

    /// Breaks off, comes back, and goes on with the same file.
    fn resume(&mut self) -> Done {
        // Guests have no place where files carry times, and small files go at once.
        let fits = |parcel: &Parcel| parcel.upload().mtime.is_some() && !parcel.upload().eager;
        let Some(parcel) = (0..RESUME_TRIES).map(|_| self.parcel(false)).find(fits) else {
            return Ok(());
        };
        let look = self.world.ledger.looking(&parcel.place.name);
        let pending = self.world.ledger.changing(&parcel.place.name, Some(parcel.version));
        let mut raw = self.come()?;
        self.send_part(&mut raw, &parcel.upload())?;
        drop(raw);
        parcel.broke_off(self.world);
        let heard = self.come()?.resume(parcel.upload());
        self.put_was(&parcel, &look, pending, heard)
    }
}

fn refused_for(raw: &mut Raw, expected: Reason, line: &[u8]) -> Done {
    match raw.response::<Bare>()? {
        Response::Fail(refusal) if refusal.reason == expected => Ok(()),
        other => {
            let line = String::from_utf8_lossy(line);
            Err(wrong(format!("`{line:?}` is answered with {}", other.outcome())))
        }
    }
}
