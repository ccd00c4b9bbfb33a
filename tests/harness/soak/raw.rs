//! A raw connection that expects the worst: every answer is parsed strictly, and a connection that
//! ends is told from one that talks nonsense.

use std::io::{self, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use common::frame::{self, FrameError};
use common::protocol::{
    Crc32, Credentials, Details, Done, Download, Entry, Greeting, Identity, Offset, Page, Password,
    Put, Request, Response, Sum,
};
use serde::de::DeserializeOwned;
use socket2::{Domain, Socket, Type};

use super::speaker::{Answer, Heard, Speaker, Trouble, Upload};
use crate::content::sum_line;

/// A connection that was greeted.
#[derive(Debug)]
pub(crate) struct Raw {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
}

fn lost(error: &io::Error) -> Trouble {
    Trouble::Lost(error.to_string())
}

/// An `OK` where another answer belongs.
fn misplaced(what: &str) -> Trouble {
    Trouble::Wrong(format!("{what} is no answer to this request"))
}

impl Raw {
    /// Connects, and gives up whenever nothing comes for as long as `patience`.
    pub(super) fn connect(address: SocketAddr, patience: Duration) -> Result<Self, Trouble> {
        Self::greeted(TcpStream::connect(address).map_err(|e| lost(&e))?, patience)
    }

    /// The same from another address of this machine.
    pub(super) fn connect_from(
        source: IpAddr,
        address: SocketAddr,
        patience: Duration,
    ) -> Result<Self, Trouble> {
        let connected = Socket::new(Domain::for_address(address), Type::STREAM, None)
            .and_then(|s| s.bind(&SocketAddr::new(source, 0).into()).map(|()| s))
            .and_then(|s| s.connect(&address.into()).map(|()| s));
        Self::greeted(connected.map_err(|e| lost(&e))?.into(), patience)
    }

    fn greeted(stream: TcpStream, patience: Duration) -> Result<Self, Trouble> {
        let set = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(patience)))
            .and_then(|()| stream.set_write_timeout(Some(patience)));
        set.map_err(|e| lost(&e))?;
        let mut raw = Self { stream: BufReader::new(stream), line: Vec::new() };
        match raw.response::<Greeting>()? {
            Response::Ok(_) => Ok(raw),
            other => Err(Trouble::Wrong(format!("greeted with {}", other.outcome()))),
        }
    }

    /// The socket itself.
    pub(super) fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Sends bytes as they are.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.stream.get_mut().write_all(bytes).map_err(|e| lost(&e))
    }

    /// One line, whatever it is.
    pub(super) fn response<T: DeserializeOwned>(&mut self) -> Result<Response<T>, Trouble> {
        match frame::read_line(&mut self.stream, &mut self.line) {
            Ok(true) => {}
            Ok(false) => return Err(lost(&ErrorKind::UnexpectedEof.into())),
            Err(FrameError::Io(e)) => return Err(lost(&e)),
            Err(e @ FrameError::Cut) => return Err(Trouble::Lost(e.to_string())),
            Err(e @ FrameError::TooLong) => return Err(Trouble::Wrong(e.to_string())),
        }
        frame::parse(&self.line).map_err(|e| {
            let line = String::from_utf8_lossy(&self.line);
            Trouble::Wrong(format!("a malformed answer ({e}): {line:.300}"))
        })
    }

    /// The next answer that is more than a `WAIT`.
    pub(super) fn answer<T: DeserializeOwned>(&mut self) -> Heard<T> {
        loop {
            return Ok(match self.response()? {
                Response::Ok(value) => Answer::Ok(value),
                Response::Exists(_) => Answer::Exists,
                Response::Fail(refusal) => Answer::Refused(refusal.reason, refusal.message),
                Response::Empty => return Err(misplaced("EMPTY")),
                Response::Wait(_) => continue,
            });
        }
    }

    pub(super) fn ask<T: DeserializeOwned>(&mut self, request: &Request) -> Heard<T> {
        self.send(&line_of(request))?;
        self.answer()
    }

    fn ask_done(&mut self, request: &Request) -> Heard<()> {
        Ok(self.ask::<Done>(request)?.map(|Done {}| ()))
    }

    fn bytes(&mut self, len: usize) -> Result<Vec<u8>, Trouble> {
        let mut bytes = vec![0; len];
        self.stream.read_exact(&mut bytes).map_err(|e| lost(&e))?;
        Ok(bytes)
    }

    /// A `PUT` in two steps that may go on with what is there of it.
    pub(super) fn resume(&mut self, upload: Upload<'_>) -> Heard<()> {
        let put = Put { resume: true, ..put_of(&upload) };
        self.put_in_two_steps(put, upload.bytes)
    }

    fn put_in_two_steps(&mut self, put: Put, bytes: &[u8]) -> Heard<()> {
        match self.ask::<Offset>(&Request::Put(put))? {
            Answer::Ok(Offset { offset }) => {
                let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..));
                self.send(rest.ok_or_else(|| misplaced("an offset beyond the end"))?)?;
                self.send(sum_line(bytes).as_bytes())?;
                Ok(self.answer::<Done>()?.map(|Done {}| ()))
            }
            other => Ok(other.map(drop)),
        }
    }
}

/// The request line of an upload.
pub(super) fn put_of(upload: &Upload<'_>) -> Put {
    Put {
        path: upload.path.to_owned(),
        size: upload.bytes.len() as u64,
        mtime: upload.mtime,
        overwrite: upload.overwrite,
        resume: false,
        eager: upload.eager,
        wait: Some(upload.wait),
    }
}

/// A request as it goes over the wire.
pub(super) fn line_of(request: &Request) -> Vec<u8> {
    let mut line = serde_json::to_vec(request).unwrap_or_default();
    line.push(b'\n');
    line
}

/// A whole eager upload as it goes over the wire.
pub(super) fn eager_wire(upload: &Upload<'_>) -> Vec<u8> {
    let put = Put { eager: true, ..put_of(upload) };
    [&line_of(&Request::Put(put)), upload.bytes, sum_line(upload.bytes).as_bytes()].concat()
}

fn credentials(user: &str, password: &str) -> Credentials {
    Credentials { user: user.to_owned(), password: Password(password.to_owned()) }
}

impl Speaker for Raw {
    fn put(&mut self, upload: Upload<'_>) -> Heard<()> {
        if upload.eager {
            self.send(&eager_wire(&upload))?;
            return Ok(self.answer::<Done>()?.map(|Done {}| ()));
        }
        self.put_in_two_steps(put_of(&upload), upload.bytes)
    }

    fn put_ahead(&mut self, uploads: &[Upload<'_>]) -> Vec<Heard<()>> {
        let wire: Vec<u8> = uploads.iter().flat_map(eager_wire).collect();
        // Cut in the middle, it may all the same have been answered in part.
        let _ = self.send(&wire);
        let mut lost = None;
        let mut next = |_| {
            // Once lost, lost: nobody waits for each of the others as long again.
            if let Some(how) = &lost {
                return Err(Trouble::Lost(String::clone(how)));
            }
            let heard = self.answer::<Done>();
            if let Err(Trouble::Lost(how)) = &heard {
                lost = Some(how.clone());
            }
            Ok(heard?.map(|Done {}| ()))
        };
        uploads.iter().map(&mut next).collect()
    }

    fn get(&mut self, path: &str, offset: usize) -> Heard<(usize, Vec<u8>)> {
        let request = Request::Get { path: path.to_owned(), offset: Some(offset as u64) };
        Ok(match self.ask::<Download>(&request)? {
            Answer::Ok(download) => {
                let rest = usize::try_from(download.size).ok().and_then(|n| n.checked_sub(offset));
                let rest = rest.ok_or_else(|| misplaced("a size below the offset"))?;
                Answer::Ok((offset, self.bytes(rest)?))
            }
            other => other.map(|_| (0, Vec::new())),
        })
    }

    fn sum(&mut self, path: &str) -> Heard<Crc32> {
        let request = Request::Sum { path: path.to_owned() };
        Ok(self.ask::<Sum>(&request)?.map(|sum| sum.crc32))
    }

    fn stat(&mut self, path: &str) -> Heard<Details> {
        self.ask(&Request::Stat { path: path.to_owned() })
    }

    fn list(&mut self, path: &str) -> Heard<Vec<Entry>> {
        self.send(&line_of(&Request::List { path: Some(path.to_owned()) }))?;
        let mut entries = Vec::new();
        loop {
            match self.response::<Page>()? {
                Response::Ok(page) => {
                    entries.extend(page.entries);
                    if !page.more {
                        return Ok(Answer::Ok(entries));
                    }
                }
                Response::Empty if entries.is_empty() => return Ok(Answer::Ok(entries)),
                Response::Fail(refusal) => {
                    return Ok(Answer::Refused(refusal.reason, refusal.message));
                }
                other => return Err(misplaced(&other.outcome().to_string())),
            }
        }
    }

    fn delete(&mut self, path: &str) -> Heard<()> {
        self.ask_done(&Request::Delete { path: path.to_owned() })
    }

    fn mkdir(&mut self, path: &str) -> Heard<()> {
        self.ask_done(&Request::Mkdir { path: path.to_owned() })
    }

    fn rename(&mut self, from: &str, to: &str) -> Heard<()> {
        self.ask_done(&Request::Rename { from: from.to_owned(), to: to.to_owned() })
    }

    fn register(&mut self, user: &str, password: &str) -> Heard<Identity> {
        self.ask(&Request::Register(credentials(user, password)))
    }

    fn login(&mut self, user: &str, password: &str) -> Heard<Identity> {
        self.ask(&Request::Login(credentials(user, password)))
    }

    fn passwd(&mut self, old: &str, new: &str) -> Heard<()> {
        let [old, new] = [old, new].map(|word| Password(word.to_owned()));
        self.ask_done(&Request::Passwd { old, new })
    }

    fn who(&mut self) -> Heard<Identity> {
        self.ask(&Request::Who {})
    }
}
