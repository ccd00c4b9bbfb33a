//! Many short visits: come, fetch one file, go; one behind the other, several at a time.

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use client::client::Client;
use client::error::Error;
use common::protocol::{Crc32, Download, Request};

use super::line::{Line, login, resolve};
use super::notes::Notes;
use super::plan::{Account, Target};
use crate::descriptors;

/// A visitor's buffer: a small file comes in one piece.
const BLOCK_BYTES: usize = 64 * 1024;

/// Descriptors beside those of the visitors.
const SPARE_DESCRIPTORS: u32 = 16;

/// Visits to be made.
#[derive(Debug)]
pub struct Visits {
    /// Whom they are for; with an account, each begins with a login.
    pub target: Target,
    /// How many.
    pub count: u64,
    /// How many at a time, each in a thread of its own.
    pub clients: u32,
    /// What each of them fetches.
    pub file: String,
}

/// What came of them.
#[derive(Debug)]
pub struct Visited {
    /// How long all of them took together.
    pub time: Duration,
    /// Those that got something else than the file, whole.
    pub failed: Notes,
}

/// The file, as every visit must find it.
#[derive(Debug, Clone, Copy)]
struct Expected {
    size: u64,
    crc32: Crc32,
}

impl Visits {
    /// Makes them. An error is that they could not begin.
    pub fn make(&self) -> io::Result<Visited> {
        descriptors::need(self.clients + SPARE_DESCRIPTORS)?;
        let server = resolve(&self.target.server)?;
        let expected = self.look().map_err(io::Error::other)?;
        let (made, failed) = (AtomicU64::new(0), Mutex::new(Notes::default()));
        let start = Instant::now();
        thread::scope(|scope| {
            let visit_on = || {
                let mut block = vec![0; BLOCK_BYTES];
                while made.fetch_add(1, Ordering::Relaxed) < self.count {
                    if let Err(error) = self.visit(server, expected, &mut block) {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).add(error);
                    }
                }
            };
            for number in 1..=self.clients {
                let builder = thread::Builder::new().name(format!("visitor{number}"));
                builder.spawn_scoped(scope, visit_on)?;
            }
            Ok::<(), io::Error>(())
        })?;
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Visited { time: start.elapsed(), failed })
    }

    /// A first visit, not counted. It learns the checksum, which the server may have to compute.
    fn look(&self) -> Result<Expected, Error> {
        let mut client = Client::connect(&self.target.server.to_string())?;
        if let Some(Account { user, password }) = &self.target.account {
            client.login(user, password)?;
        }
        let Download { size, crc32, .. } = client.get(&self.file, &mut io::sink())?;
        let unknown = || Error::Protocol("a file without a checksum".into());
        Ok(Expected { size, crc32: crc32.ok_or_else(unknown)? })
    }

    /// One visit: what is asked goes out in one piece, what is answered is read to its end.
    fn visit(&self, server: SocketAddr, expected: Expected, block: &mut [u8]) -> io::Result<()> {
        let mut line = Line::connect(server)?;
        line.greeted()?;
        let get = Request::Get { path: self.file.clone(), offset: None };
        let login = self.target.account.as_ref().map(login);
        line.ask(&login.iter().cloned().chain([get, Request::Quit {}]).collect::<Vec<_>>())?;
        if login.is_some() {
            line.logged_in()?;
        }
        let Download { size, .. } = line.answer()?;
        let (mut count, mut crc) = (0, crc32fast::Hasher::new());
        loop {
            match line.rest().read(block)? {
                // The server hangs up behind the last byte: that is the QUIT.
                0 => break,
                more => {
                    crc.update(&block[..more]);
                    count += more as u64;
                }
            }
        }
        let got = Crc32(crc.finalize());
        if (size, count, got) == (expected.size, expected.size, expected.crc32) {
            return Ok(());
        }
        let (file, Expected { size, crc32 }) = (&self.file, expected);
        Err(io::Error::other(format!(
            "{file}: {count} bytes with crc32 {got}, and it has {size} with {crc32}"
        )))
    }
}
