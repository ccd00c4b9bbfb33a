//! Whatever a server answers, the client copes.
//!
//! A server that greets as it should and then says these bytes, whatever it is asked, and no more.
//! Each call of the client is tried on it, for each reads its answer in another way.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use client::client::{Client, PutOptions};
use client::error::Error;

use super::harmless;

/// What every server says first.
const GREETING: &[u8] =
    b"{\"status\":\"OK\",\"server\":\"hostile\",\"protocol\":1,\"session\":7}\n";

type Call = fn(Client) -> Result<(), Error>;

/// Every way of asking. The answer matters only by how it is read.
const CALLS: [Call; 16] = [
    |mut client| client.list(None).map(drop),
    |mut client| client.stat("a").map(drop),
    |mut client| client.sum("a").map(drop),
    |mut client| client.get("a", &mut io::sink()).map(drop),
    |mut client| client.put("a", 3, &mut &b"abc"[..], PutOptions::default()),
    |mut client| {
        client.put_ahead("a", b"abc", PutOptions::default())?;
        client.put_ahead("b", b"", PutOptions::default())?;
        while let Some(answer) = client.answer_ahead() {
            answer?;
        }
        Ok(())
    },
    |mut client| client.mkdir("a"),
    |mut client| client.delete("a"),
    |mut client| client.rename("a", "b"),
    |mut client| client.login("xiaoyu", "123456").map(drop),
    |mut client| client.who().map(drop),
    |mut client| client.vote(None).map(drop),
    |mut client| client.admin("who").map(drop),
    |client| client.join(Some("a")).map(drop),
    |client| client.listen(true).map(drop),
    |client| {
        let (_, mut listener) = client.join(None)?;
        listener.say("hello", None)?;
        loop {
            listener.hear()?;
        }
    },
];

/// A server that says what it likes.
#[derive(Debug)]
pub struct HostileServer {
    listener: TcpListener,
}

impl HostileServer {
    /// Listens on a free port.
    pub fn start() -> Self {
        match TcpListener::bind("127.0.0.1:0") {
            Ok(listener) => Self { listener },
            Err(error) => panic!("cannot listen: {error}"),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        match self.listener.local_addr() {
            Ok(address) => address,
            Err(error) => panic!("no address: {error}"),
        }
    }

    /// Whichever request these bytes are the answer to, the client ends with a result or an error
    /// whose words are fit for a terminal.
    pub fn answers(&self, bytes: &[u8]) {
        for call in CALLS {
            thread::scope(|scope| {
                scope.spawn(|| self.serve_one(bytes));
                let asked = Client::connect(&self.address().to_string());
                if let Err(error) = asked.and_then(call) {
                    harmless(error);
                }
            });
        }
    }

    /// Greets one client, says `bytes`, and listens until it leaves.
    pub fn serve_one(&self, bytes: &[u8]) {
        let Ok((stream, _)) = self.listener.accept() else { return };
        // A client that has heard enough leaves in the middle, and may.
        let _ = speak(&stream, bytes);
    }
}

fn speak(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(&[GREETING, bytes].concat())?;
    stream.shutdown(Shutdown::Write)?;
    let mut asked = [0; 4096];
    while stream.read(&mut asked)? > 0 {}
    Ok(())
}
