//! One member of the room: a session, and a thread that notes down what it hears.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use common::frame;
use common::protocol::{Done, Greeting, Joined, Request, Response};
use common::room::Event;
use serde::de::DeserializeOwned;
use socket2::{Domain, Socket, Type};

use crate::PATIENCE;
use crate::stress::histogram::Histogram;

/// What the system takes for somebody who does not read: as little as it can.
const DEAF_BYTES: usize = 4096;

/// Threads that read are many, and need little.
const STACK_BYTES: usize = 256 * 1024;

/// The line behind the last.
const END: &str = "end";

/// What all members go by.
#[derive(Debug)]
pub(super) struct Clock {
    /// Times are told from here on.
    pub(super) begun: Instant,
    /// How many lines the server has answered for.
    pub(super) answered: AtomicU32,
}

/// A line of the run: which it is, when it was said, and something to make it long.
pub(super) fn text(number: u32, begun: Instant, length: usize) -> String {
    let text = format!("{number} {} ", begun.elapsed().as_nanos());
    format!("{text}{}", "x".repeat(length.saturating_sub(text.len())))
}

/// Number and delay of such a line.
fn read(text: &str, begun: Instant) -> Option<(u32, Duration)> {
    let mut words = text.split(' ');
    let number = words.next()?.parse().ok()?;
    let said = Duration::from_nanos(words.next()?.parse().ok()?);
    Some((number, begun.elapsed().saturating_sub(said)))
}

/// What a member has heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The numbers of the lines, as they came.
    pub(super) lines: Vec<u32>,
    /// How long each was on its way.
    pub(super) delays: Histogram,
    /// Who has left.
    pub(super) gone: Vec<String>,
    /// Whatever should not have come.
    pub(super) troubles: Vec<String>,
}

/// Somebody in the room.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    stream: TcpStream,
    hearing: Option<JoinHandle<Heard>>,
}

impl Member {
    /// Comes in, and listens from then on.
    pub(super) fn come(server: SocketAddr, name: String, clock: &Arc<Clock>) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        let mut input = join(&stream, &name)?;
        let thread = Builder::new().name(name.clone()).stack_size(STACK_BYTES);
        let clock = Arc::clone(clock);
        let hearing = Some(thread.spawn(move || hear(&mut input, &clock))?);
        Ok(Self { name, stream, hearing })
    }

    /// Comes in, and never reads another byte.
    pub(super) fn come_deaf(server: SocketAddr, name: String) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
        socket.set_recv_buffer_size(DEAF_BYTES)?;
        socket.connect(&server.into())?;
        let stream = TcpStream::from(socket);
        join(&stream, &name)?;
        Ok(Self { name, stream, hearing: None })
    }

    /// Says something. The answer is read by the thread.
    pub(super) fn say(&self, text: &str) -> io::Result<()> {
        let mut line = Vec::new();
        frame::write_line(&mut line, &Request::Say { text: text.to_owned(), to: None })?;
        (&self.stream).write_all(&line)
    }

    /// Says that it is over.
    pub(super) fn end(&self) -> io::Result<()> {
        self.say(END)
    }

    /// What it has heard, until it heard that it is over.
    pub(super) fn heard(&mut self) -> Heard {
        let heard = self.hearing.take().and_then(|thread| thread.join().ok());
        heard.unwrap_or_else(|| Heard { troubles: vec!["died".into()], ..Heard::default() })
    }

    /// Whether the server has ended this connection: reads what is left.
    pub(super) fn is_sent_away(&self) -> bool {
        let mut rest = [0; 16 * 1024];
        loop {
            match (&self.stream).read(&mut rest) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == io::ErrorKind::ConnectionReset,
            }
        }
    }
}

/// Greets and goes into the room.
fn join(mut stream: &TcpStream, name: &str) -> io::Result<BufReader<TcpStream>> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut input = BufReader::with_capacity(DEAF_BYTES, stream.try_clone()?);
    answer::<Greeting>(&mut input)?;
    let mut line = Vec::new();
    frame::write_line(&mut line, &Request::Join { name: Some(name.to_owned()) })?;
    stream.write_all(&line)?;
    answer::<Joined>(&mut input)?;
    Ok(input)
}

fn answer<T: DeserializeOwned>(input: &mut BufReader<TcpStream>) -> io::Result<T> {
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line)?;
    match frame::parse(&line) {
        Ok(Response::Ok(answer)) => Ok(answer),
        Ok(other) => Err(io::Error::other(format!("was told {}", other.outcome()))),
        Err(error) => Err(error.into()),
    }
}

fn hear(input: &mut BufReader<TcpStream>, clock: &Clock) -> Heard {
    let mut heard = Heard::default();
    let mut line = Vec::new();
    loop {
        match frame::read_line(input, &mut line) {
            Ok(true) => {}
            ended => {
                heard.troubles.push(format!("hears nothing any more: {ended:?}"));
                return heard;
            }
        }
        match frame::parse::<Event>(&line) {
            Ok(Event::Say { text, .. }) if text == END => return heard,
            Ok(Event::Say { text, .. }) => match read(&text, clock.begun) {
                Some((number, delay)) => {
                    heard.lines.push(number);
                    heard.delays.add(delay);
                }
                None => heard.troubles.push("heard what nobody has said".into()),
            },
            Ok(Event::Leave { name, .. }) => heard.gone.push(name),
            Ok(Event::Missed { lines }) => heard.troubles.push(format!("missed {lines} lines")),
            Ok(_) => {}
            Err(_) => {
                clock.answered.fetch_add(1, Ordering::SeqCst);
                match frame::parse::<Response<Done>>(&line) {
                    Ok(Response::Ok(_)) => {}
                    Ok(other) => heard.troubles.push(format!("was told {}", other.outcome())),
                    Err(error) => heard.troubles.push(format!("heard what is no line: {error}")),
                }
            }
        }
    }
}
