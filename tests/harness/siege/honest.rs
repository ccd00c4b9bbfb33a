//! The honest client, and how long it waits.

use std::io::Cursor;
use std::time::{Duration, Instant};

use client::client::{Client, PutOptions};
use client::error::Error;

use crate::content;

/// Its files take turns, so that its listing stays as long as it is.
const FILES: usize = 8;
const FILE_BYTES: usize = 1000;

/// Somebody with a home, who lists it and puts small files there.
#[derive(Debug)]
pub(super) struct Honest {
    client: Client,
    rounds: u64,
}

/// How long rounds took, in order of length.
#[derive(Debug, Default)]
pub(super) struct Times {
    sorted: Vec<Duration>,
}

impl Honest {
    /// Registers, and lays down the files.
    pub(super) fn come(address: &str) -> Result<Self, Error> {
        let mut client = Client::connect(address)?;
        client.register("honest", "123456")?;
        let mut honest = Self { client, rounds: 0 };
        for _ in 0..FILES {
            honest.round()?;
        }
        Ok(honest)
    }

    /// Lists, and puts one file.
    fn round(&mut self) -> Result<(), Error> {
        let path = format!("/home/f{}", self.rounds % FILES as u64);
        let bytes = content::bytes(self.rounds, FILE_BYTES);
        let options = PutOptions { overwrite: true, ..PutOptions::default() };
        self.client.list(Some("/home"))?;
        self.client.put(&path, bytes.len() as u64, &mut Cursor::new(bytes), options)?;
        self.rounds += 1;
        Ok(())
    }

    /// Rounds for as long as `goes_on`.
    pub(super) fn work(&mut self, goes_on: impl Fn() -> bool) -> Result<Times, Error> {
        let mut sorted = Vec::new();
        while goes_on() {
            let begun = Instant::now();
            self.round()?;
            sorted.push(begun.elapsed());
        }
        sorted.sort_unstable();
        Ok(Times { sorted })
    }
}

impl Times {
    pub(super) fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The time that `percent` of all rounds took at most.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let at = self.sorted.len() * percent / 100;
        self.sorted.get(at.min(self.sorted.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}
