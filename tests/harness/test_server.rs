//! A server in this process; or in one of its own, where the [`model`](crate::models) needs that.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use clap::Parser as _;
use client::client::Client;
use server::config::Config;
use server::stop::Stop;
use server::{Server, ServerError};
use tempfile::TempDir;

use crate::actor::Ferryd;
use crate::{Peer, eventually, models};

/// A running server with a data folder of its own.
#[derive(Debug)]
pub struct TestServer {
    data: TempDir,
    address: SocketAddr,
    run: Option<Run>,
}

#[derive(Debug)]
enum Run {
    Here(Stop, JoinHandle<Result<(), ServerError>>),
    Apart(Ferryd),
}

impl TestServer {
    /// With the defaults people get.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With more words on its command line.
    pub fn with(words: &[&str]) -> Self {
        let data = must(tempfile::tempdir());
        if models::needs_its_own_program() {
            let server = must(Ferryd::start(&stage(), data.path(), words));
            let address = server.address;
            return Self { data, address, run: Some(Run::Apart(server)) };
        }
        let folder = data.path().to_string_lossy().into_owned();
        let fixed = ["ferryd", "--data", &folder, "--listen", "127.0.0.1:0"];
        let config = must(Config::try_parse_from([&fixed, words, &models::words()].concat()));
        let server = must(Server::bind(config));
        let (address, stop) = (must(server.address()), server.stop());
        let run = Run::Here(stop, std::thread::spawn(move || server.run()));
        Self { data, address, run: Some(run) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A raw connection.
    pub fn peer(&self) -> Peer {
        Peer::connect(self.address)
    }

    /// A well-behaved connection.
    pub fn client(&self) -> Client {
        must(Client::connect(&self.address.to_string()))
    }

    /// Where everything of this server is kept.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The shared folder, on disk.
    pub fn library(&self) -> PathBuf {
        self.data.path().join("library")
    }

    /// The folder of `user`'s own, on disk.
    pub fn home(&self, user: &str) -> PathBuf {
        self.data.path().join("home").join(user)
    }

    /// How many parts there are on disk.
    pub fn parts(&self) -> usize {
        must(fs::read_dir(self.library().join(".ferry"))).count()
    }

    /// Asks it to stop and waits until every thread has ended.
    pub fn stop(mut self) {
        self.end();
    }

    /// Its process, where it has one of its own.
    pub fn process(&self) -> Option<u32> {
        match &self.run {
            Some(Run::Apart(server)) => Some(server.id()),
            _ => None,
        }
    }

    fn end(&mut self) {
        let ended = match self.run.take() {
            Some(Run::Here(stop, thread)) => {
                stop.ask();
                // A thread that hangs must fail its test, not the patience of whoever runs it.
                eventually("the server has stopped", || thread.is_finished());
                format!("{:?}", thread.join())
            }
            Some(Run::Apart(server)) => format!("{:?}", server.stop().map(|status| status.code())),
            None => return,
        };
        if !std::thread::panicking() {
            let well = ["Ok(Ok(()))", "Ok(Some(0))"].contains(&ended.as_str());
            assert!(well, "the server did not end well: {ended}");
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// The program that plays every part: it lies where this one was built.
fn stage() -> PathBuf {
    let here = must(std::env::current_exe());
    let built = here.ancestors().find(|folder| folder.join("demo").is_file());
    built.map_or_else(|| PathBuf::from("demo"), |folder| folder.join("demo"))
}

#[track_caller]
fn must<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("cannot set the test up: {error:?}"),
    }
}
