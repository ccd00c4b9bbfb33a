//! What can be asked, however it is asked: by the client library or by a raw connection. Those
//! who visit the server do not know which of the two they speak through.

use std::fmt;
use std::io::Cursor;

use client::client::{Client, PutOptions};
use client::error::Error;
use common::protocol::{Crc32, Details, Entry, Identity, Reason};

/// An upload to ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Upload<'b> {
    pub(super) path: &'b str,
    pub(super) bytes: &'b [u8],
    /// Send everything at once; for what is small.
    pub(super) eager: bool,
    pub(super) overwrite: bool,
    pub(super) mtime: Option<i64>,
    /// Seconds to wait for the name.
    pub(super) wait: u64,
}

/// What an answer said.
#[derive(Debug)]
pub(super) enum Answer<T> {
    Ok(T),
    Exists,
    Refused(Reason, String),
}

impl<T> Answer<T> {
    pub(super) fn map<U>(self, with: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Ok(value) => Answer::Ok(with(value)),
            Self::Exists => Answer::Exists,
            Self::Refused(reason, message) => Answer::Refused(reason, message),
        }
    }
}

/// Why there was no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The connection ended, or nothing came for too long. On a good network nobody may see this.
    Lost(String),
    /// What must not be, on any network.
    Wrong(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(how) => write!(f, "the connection was lost: {how}"),
            Self::Wrong(what) => f.write_str(what),
        }
    }
}

pub(super) type Heard<T> = Result<Answer<T>, Trouble>;

/// Somebody to ask through.
pub(super) trait Speaker {
    fn put(&mut self, upload: Upload<'_>) -> Heard<()>;
    /// Sends many small files before it listens; an answer for each, in order.
    fn put_ahead(&mut self, uploads: &[Upload<'_>]) -> Vec<Heard<()>>;
    /// The file's bytes from `offset` on, or from its beginning where that cannot be asked for; and
    /// where they begin.
    fn get(&mut self, path: &str, offset: usize) -> Heard<(usize, Vec<u8>)>;
    fn sum(&mut self, path: &str) -> Heard<Crc32>;
    fn stat(&mut self, path: &str) -> Heard<Details>;
    fn list(&mut self, path: &str) -> Heard<Vec<Entry>>;
    fn delete(&mut self, path: &str) -> Heard<()>;
    fn mkdir(&mut self, path: &str) -> Heard<()>;
    fn rename(&mut self, from: &str, to: &str) -> Heard<()>;
    fn register(&mut self, user: &str, password: &str) -> Heard<Identity>;
    fn login(&mut self, user: &str, password: &str) -> Heard<Identity>;
    fn passwd(&mut self, old: &str, new: &str) -> Heard<()>;
    fn who(&mut self) -> Heard<Identity>;
}

/// The client library's errors, in the words of this module.
pub(super) fn heard<T>(result: Result<T, Error>) -> Heard<T> {
    match result {
        Ok(value) => Ok(Answer::Ok(value)),
        Err(Error::Exists { .. }) => Ok(Answer::Exists),
        Err(Error::Refused { reason, message, .. }) => Ok(Answer::Refused(reason, message)),
        Err(Error::LoginRefused(message)) => Ok(Answer::Refused(Reason::Denied, message)),
        Err(e @ (Error::Lost { .. } | Error::NoServer { .. } | Error::Interrupted)) => {
            Err(Trouble::Lost(e.to_string()))
        }
        Err(other) => Err(Trouble::Wrong(format!("the client library says: {other}"))),
    }
}

impl Speaker for Client {
    fn put(&mut self, upload: Upload<'_>) -> Heard<()> {
        let Upload { path, bytes, overwrite, mtime, wait, .. } = upload;
        let options = PutOptions { mtime, overwrite, wait: Some(wait), resume: false };
        if upload.eager {
            let sent = Client::put_ahead(self, path, bytes, options);
            // Even if it could not be sent whole, the answer says what became of it.
            return match self.answer_ahead() {
                Some(answer) => heard(answer),
                None => heard(sent),
            };
        }
        heard(Client::put(self, path, bytes.len() as u64, &mut Cursor::new(bytes), options))
    }

    fn put_ahead(&mut self, uploads: &[Upload<'_>]) -> Vec<Heard<()>> {
        for Upload { path, bytes, overwrite, mtime, wait, .. } in uploads {
            let options = PutOptions {
                mtime: *mtime,
                overwrite: *overwrite,
                wait: Some(*wait),
                resume: false,
            };
            // What could not be sent has no answer, and that is told below.
            let _ = Client::put_ahead(self, path, bytes, options);
        }
        let unsent = || Err(Trouble::Lost("it was not sent".into()));
        uploads.iter().map(|_| self.answer_ahead().map_or_else(unsent, heard)).collect()
    }

    fn get(&mut self, path: &str, _offset: usize) -> Heard<(usize, Vec<u8>)> {
        let mut bytes = Vec::new();
        heard(Client::get(self, path, &mut bytes).map(|_| (0, bytes)))
    }

    fn sum(&mut self, path: &str) -> Heard<Crc32> {
        heard(Client::sum(self, path))
    }

    fn stat(&mut self, path: &str) -> Heard<Details> {
        heard(Client::stat(self, path))
    }

    fn list(&mut self, path: &str) -> Heard<Vec<Entry>> {
        heard(Client::list(self, Some(path)))
    }

    fn delete(&mut self, path: &str) -> Heard<()> {
        heard(Client::delete(self, path))
    }

    fn mkdir(&mut self, path: &str) -> Heard<()> {
        heard(Client::mkdir(self, path))
    }

    fn rename(&mut self, from: &str, to: &str) -> Heard<()> {
        heard(Client::rename(self, from, to))
    }

    fn register(&mut self, user: &str, password: &str) -> Heard<Identity> {
        heard(Client::register(self, user, password))
    }

    fn login(&mut self, user: &str, password: &str) -> Heard<Identity> {
        heard(Client::login(self, user, password))
    }

    fn passwd(&mut self, old: &str, new: &str) -> Heard<()> {
        heard(Client::passwd(self, old, new))
    }

    fn who(&mut self) -> Heard<Identity> {
        heard(Client::who(self))
    }
}
