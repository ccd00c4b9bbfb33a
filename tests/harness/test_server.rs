//! A server in this process.

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

use crate::{Peer, eventually};

/// A running server with a data folder of its own.
#[derive(Debug)]
pub struct TestServer {
    data: TempDir,
    address: SocketAddr,
    stop: Stop,
    thread: Option<JoinHandle<Result<(), ServerError>>>,
}

impl TestServer {
    /// With the defaults people get.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With more words on its command line.
    pub fn with(words: &[&str]) -> Self {
        let data = must(tempfile::tempdir());
        let folder = data.path().to_string_lossy().into_owned();
        let fixed = ["ferryd", "--data", &folder, "--listen", "127.0.0.1:0"];
        let config = must(Config::try_parse_from([&fixed, words].concat()));
        let server = must(Server::bind(config));
        let (address, stop) = (must(server.address()), server.stop());
        let thread = Some(std::thread::spawn(move || server.run()));
        Self { data, address, stop, thread }
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

    fn end(&mut self) {
        self.stop.ask();
        let Some(thread) = self.thread.take() else { return };
        // A thread that hangs must fail its test, not the patience of whoever runs it.
        eventually("the server has stopped", || thread.is_finished());
        let ended = thread.join();
        if !std::thread::panicking() {
            assert!(matches!(ended, Ok(Ok(()))), "the server did not end well: {ended:?}");
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.end();
    }
}

#[track_caller]
fn must<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("cannot set the test up: {error:?}"),
    }
}
