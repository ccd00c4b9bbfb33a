//! Three sends, one recv.
//!
//! **The course's server** answers a `get` like this, and its client reads as if each `recv` brought
//! what one `send` had sent:
//!
//! ```python
//! conn.send(b"OK"); sleep(0.5); conn.send(data); sleep(0.5); conn.send(b"##")
//! answer = sock.recv(1024)          # "OK", surely?
//! ```
//!
//! **Predict:** what does the first `recv` bring if the sleeps are taken out? If they are half a
//! millisecond? And if the client has something else to do meanwhile, for as long as it takes to
//! write a block to a disk?
//!
//! **What one sees:** without sleeps `OK`, the data and the end mark come in one piece nearly always;
//! with them nearly never, *as long as the client waits in its `recv`*. A client that is busy gets all
//! of it in one piece, however long the server slept.
//!
//! **Why:** TCP carries bytes, not messages. What was sent lies in the receiver's kernel until
//! somebody asks, and whoever asks gets what lies there: all of it, or as much as there is room for.
//! How many `recv`s a message takes is nobody's promise. It is often called "sticky packets", which
//! misleads: no packet sticks to anything, there never was a border. And a sleep is no border either:
//! it says how fast the *sender* is, and nothing about the receiver.
//!
//! **So** the border has to be in the bytes: a line that says how many follow. Then the end mark is
//! not needed, and a file may hold `##` like any other bytes.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::Lab;
use super::findings::Findings;
use super::trial::{Ending, Experiment, Promise, Version};

/// What the server sends, one `send` each.
const SENDS: [&str; 3] = ["OK", "hello file data", "##"];

/// How long the server sleeps between two sends, where it does. The course's 500 ms are the same, and
/// slower.
const GAP: Duration = Duration::from_micros(500);

/// A file that a receiver who looks for an end mark would cut.
const FILE: &str = "one\n##\nOK two";

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "sticky",
    title: "Three sends, one recv: how often does it bring anything but the first?",
    wrong: "glued",
    why: "\
TCP carries bytes, not messages. What was sent lies in the receiver's kernel until somebody asks, and
then comes in one piece. A sleep between two sends says how fast the sender is; how busy the receiver
is, nobody knows. So the bytes themselves must say where a message ends: a line with the size, and
then so many bytes.",
    versions: &[
        Version {
            name: "no-gap",
            label: "no gap",
            promise: Promise::Perhaps,
            run: |_| one_recv(Duration::ZERO, Receiver::Waits),
        },
        Version {
            name: "gap",
            label: "0.5 ms apart",
            promise: Promise::Perhaps,
            run: |_| one_recv(GAP, Receiver::Waits),
        },
        Version {
            name: "busy",
            label: "0.5 ms apart, client busy",
            promise: Promise::Always,
            run: |_| one_recv(GAP, Receiver::IsBusy),
        },
        Version {
            name: "frames",
            label: "lines and sizes, busy",
            promise: Promise::Never,
            run: frames,
        },
    ],
};

/// Tries all of them.
pub fn measure(lab: &Lab, runs: u32) -> io::Result<Findings> {
    Ok(EXPERIMENT.findings(&EXPERIMENT.run(lab, runs, |_| true)?))
}

/// What the receiver does while the sender sends.
#[derive(Clone, Copy, PartialEq)]
enum Receiver {
    /// Waits in its `recv`.
    Waits,
    /// Something else, until all was sent.
    IsBusy,
}

/// The wrong version: one `recv`, and what came is what was sent first.
fn one_recv(gap: Duration, receiver: Receiver) -> io::Result<Ending> {
    let (mut client, mut server) = connection()?;
    let sender = thread::spawn(move || {
        for message in SENDS {
            server.write_all(message.as_bytes())?;
            thread::sleep(gap);
        }
        // Not closed before the client has read.
        Ok::<_, io::Error>(server)
    });
    let sender = match receiver {
        Receiver::Waits => Err(sender),
        Receiver::IsBusy => Ok(joined(sender)?),
    };
    let mut buffer = [0; 1024];
    // LESSON: `recv` returns what is there, at least one byte and at most a buffer full. It knows
    // nothing of how it was sent.
    let count = client.read(&mut buffer)?;
    let came = String::from_utf8_lossy(&buffer[..count]).into_owned();
    let _server = sender.or_else(joined)?;
    let glued = || format!("one recv brought `{came}`, and `{}` was expected", SENDS[0]);
    Ok(if came == SENDS[0] { Ending::Right } else { Ending::Wrong(glued()) })
}

/// The right version, as Ferry has it: a line of JSON that says how many bytes follow. Without a gap,
/// to a client that is busy: the hardest case of those above.
fn frames(_: &Path) -> io::Result<Ending> {
    let (client, mut server) = connection()?;
    write!(server, "{}\n{FILE}", json!({"status": "OK", "size": FILE.len()}))?;
    writeln!(server, "{}", json!({"status": "EMPTY"}))?;

    let mut client = BufReader::new(client);
    let answer = read_line(&mut client)?;
    let size = answer["size"].as_u64().unwrap_or(0);
    let mut file = String::new();
    // LESSON: first how many bytes, then exactly so many, in as many `recv`s as it takes. Whatever
    // else has come already stays in the buffer, for whoever reads the next line.
    client.by_ref().take(size).read_to_string(&mut file)?;
    let next = read_line(&mut client)?;
    let is_right = answer["status"] == "OK" && file == FILE && next["status"] == "EMPTY";
    let wrong = || format!("`{answer}`, `{}`, `{next}` was read", file.escape_debug());
    Ok(if is_right { Ending::Right } else { Ending::Wrong(wrong()) })
}

fn read_line(from: &mut BufReader<TcpStream>) -> io::Result<Value> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    serde_json::from_str(&line).map_err(io::Error::other)
}

/// Both ends of a connection. It holds nothing back to send more at once (Nagle's algorithm): what is
/// glued together here was not glued by the sender.
fn connection() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    server.set_nodelay(true)?;
    Ok((client, server))
}

fn joined(sender: thread::JoinHandle<io::Result<TcpStream>>) -> io::Result<TcpStream> {
    sender.join().unwrap_or_else(|_| Err(io::Error::other("the sender panicked")))
}
