//! A connection at its barest: for thousands of them at once, or one after the other.
//!
//! It speaks the protocol and no more. The client library would be as right; its buffers are made
//! for large files and would be most of what is measured here.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};

use client::address::Address;
use common::frame;
use common::protocol::{
    Credentials, Greeting, Identity, PROTOCOL_VERSION, Password, Request, Response,
};
use serde::de::DeserializeOwned;

use super::plan::Account;
use crate::PATIENCE;

/// Room for a few short lines.
const READ_AHEAD: usize = 4096;

/// One connection.
#[derive(Debug)]
pub struct Line {
    stream: BufReader<TcpStream>,
}

/// What the name of a server stands for; looked up once, not for each connection.
pub fn resolve(server: &Address) -> io::Result<SocketAddr> {
    let none = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let found =
        server.to_string().to_socket_addrs().and_then(|mut all| all.next().ok_or_else(none));
    found.map_err(|error| io::Error::new(error.kind(), format!("cannot find {server}: {error}")))
}

/// How an account logs in.
pub fn login(account: &Account) -> Request {
    let Account { user, password } = account;
    Request::Login(Credentials { user: user.clone(), password: Password(password.clone()) })
}

impl Line {
    /// Connects. The greeting is yet to be read.
    pub fn connect(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(READ_AHEAD, stream) })
    }

    /// Reads the greeting. Nothing is asked before it: it says whether there is a place, and which
    /// protocol is spoken.
    pub fn greeted(&mut self) -> io::Result<()> {
        let Greeting { protocol, .. } = self.answer()?;
        if protocol == PROTOCOL_VERSION {
            return Ok(());
        }
        let ours = PROTOCOL_VERSION;
        Err(io::Error::other(format!("the server speaks protocol {protocol}, and this {ours}")))
    }

    /// Sends requests in one piece. Their answers may be read later, in the same order.
    pub fn ask(&mut self, requests: &[Request]) -> io::Result<()> {
        let mut lines = Vec::new();
        for request in requests {
            frame::write_line(&mut lines, request)?;
        }
        self.send(&lines)
    }

    /// Sends bytes as they are: a request with its body.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Reads one line of an answer, whatever it says.
    pub fn response<T: DeserializeOwned>(&mut self) -> io::Result<Response<T>> {
        let mut line = Vec::new();
        if !frame::read_line(&mut self.stream, &mut line).map_err(io::Error::other)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        frame::parse(&line).map_err(io::Error::other)
    }

    /// Reads one answer. Any but `OK` is an error.
    pub fn answer<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        match self.response()? {
            Response::Ok(value) => Ok(value),
            Response::Fail(refusal) => Err(io::Error::other(refusal.message)),
            other => Err(io::Error::other(format!("{} is no answer to this", other.outcome()))),
        }
    }

    /// Reads the answer to [`login`].
    pub fn logged_in(&mut self) -> io::Result<()> {
        self.answer().map(|Identity { .. }| ())
    }

    /// What else comes, to the end of the connection.
    pub fn rest(&mut self) -> &mut impl Read {
        &mut self.stream
    }

    /// The connection itself, when nothing that came is yet to be read.
    pub fn at_rest(mut self) -> io::Result<TcpStream> {
        if self.stream.buffer().is_empty() {
            return Ok(self.stream.into_inner());
        }
        let said = String::from_utf8_lossy(self.stream.fill_buf()?).into_owned();
        Err(io::Error::other(format!("the server said `{}` unasked", said.escape_debug())))
    }
}
