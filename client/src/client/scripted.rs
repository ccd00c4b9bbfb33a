//! A server that says exactly what a test wants, good or bad.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::Client;

pub(crate) const GREETING: &str = r#"{"status":"OK","server":"scripted","protocol":1,"session":7}"#;

/// What a server does with a client.
pub(crate) type Script = Box<dyn FnOnce(&mut Peer) + Send>;

/// The other end of the client's connection.
pub(crate) struct Peer(BufReader<TcpStream>);

impl Peer {
    pub(crate) fn say(&mut self, line: &str) {
        // One write: a line in two segments could lose its second to a reset.
        self.send(format!("{line}\n").as_bytes());
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    pub(crate) fn take(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }
}

/// Where a server listens that follows `script` with its one client.
pub(crate) fn serve(script: impl FnOnce(&mut Peer) + Send + 'static) -> String {
    serve_each(vec![Box::new(script)])
}

/// Where a server listens that follows each script with one client, one after the other.
pub(crate) fn serve_each(scripts: Vec<Script>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for script in scripts {
            script(&mut Peer(BufReader::new(listener.accept().unwrap().0)));
        }
    });
    address
}

/// A client whose server has greeted and now follows `script`.
pub(crate) fn client(script: impl FnOnce(&mut Peer) + Send + 'static) -> Client {
    let greet_and = move |peer: &mut Peer| {
        peer.say(GREETING);
        script(peer);
    };
    Client::connect(&serve(greet_and)).unwrap()
}
