//! A raw connection: says what no well-behaved client would, and hears everything.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::PATIENCE;

/// One connection, greeted. Every read has a deadline, so a test can fail but not hang.
#[derive(Debug)]
pub struct Peer {
    stream: BufReader<TcpStream>,
    /// The greeting, or the refusal that came in its place.
    pub greeting: Value,
}

#[track_caller]
fn ok<T, E: std::fmt::Debug>(result: Result<T, E>, doing: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{doing}: {error:?}"),
    }
}

impl Peer {
    /// Connects and reads the greeting.
    pub fn connect(address: SocketAddr) -> Self {
        Self::over(ok(TcpStream::connect(address), "connect"))
    }

    /// The same from another address of this machine.
    pub fn connect_from(source: IpAddr, address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None);
        let socket = ok(socket, "make a socket");
        ok(socket.bind(&SocketAddr::new(source, 0).into()), "bind");
        ok(socket.connect(&address.into()), "connect");
        Self::over(socket.into())
    }

    /// Reads the greeting over a connection that somebody else made.
    pub fn over(stream: TcpStream) -> Self {
        ok(stream.set_read_timeout(Some(PATIENCE)), "set the read timeout");
        ok(stream.set_write_timeout(Some(PATIENCE)), "set the write timeout");
        ok(stream.set_nodelay(true), "set no delay");
        let mut peer = Self { stream: BufReader::new(stream), greeting: Value::Null };
        peer.greeting = peer.line();
        peer
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        ok(self.stream.get_mut().write_all(bytes.as_ref()), "send");
    }

    /// Sends bytes; `false` if the server has closed the connection meanwhile.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// Sends one line and reads one.
    #[track_caller]
    pub fn ask(&mut self, line: impl AsRef<str>) -> Value {
        self.send(format!("{}\n", line.as_ref()));
        self.line()
    }

    /// Reads one line. `Null` is the end of the connection.
    #[track_caller]
    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => Value::Null,
            Ok(_) => ok(serde_json::from_str(&line), &line),
            Err(e) if e.kind() == ErrorKind::ConnectionReset => Value::Null,
            Err(e) => panic!("no line: {e}"),
        }
    }

    /// Reads exactly `len` raw bytes.
    #[track_caller]
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        ok(self.stream.read_exact(&mut bytes), "read raw bytes");
        bytes
    }

    /// Says that nothing more will be sent; still listens.
    pub fn half_close(&self) {
        ok(self.stream.get_ref().shutdown(Shutdown::Write), "half-close");
    }

    /// Whether the server ended the connection, without another line. Waits for it.
    pub fn is_closed(&mut self) -> bool {
        self.line().is_null()
    }

    /// The socket itself.
    pub fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }
}
