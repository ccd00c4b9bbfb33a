//! Those who say a byte now and then, so as to be served for ever. One thread plays them all.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::dice::Dice;

/// How often each of them is looked at.
const ROUND: Duration = Duration::from_millis(100);
/// One of so many says a byte in a round.
const ONE_IN: usize = 5;
/// The length of the bodies they announce, in bytes.
const BODY_BYTES: usize = 10_000;

/// What a trickler takes its time with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A request line.
    Header,
    /// The body of an upload.
    Body,
}

#[derive(Debug)]
struct Trickler {
    kind: Kind,
    stream: TcpStream,
    begun: Instant,
    /// How long it was borne, once it is over.
    borne: Option<Duration>,
}

/// A crowd of them.
#[derive(Debug)]
pub(super) struct Tricklers {
    all: Vec<Trickler>,
}

impl Tricklers {
    /// Connects `count` of them, half of each kind. From now on time counts against them.
    pub(super) fn come(server: SocketAddr, count: usize) -> std::io::Result<Self> {
        let one = |n: usize| {
            let kind = if n.is_multiple_of(2) { Kind::Header } else { Kind::Body };
            let mut stream = TcpStream::connect(server)?;
            let first = match kind {
                Kind::Header => " ".to_owned(),
                Kind::Body => format!(
                    "{{\"cmd\":\"PUT\",\"path\":\"/library/slow{n}\",\"size\":{BODY_BYTES}}}\nx"
                ),
            };
            stream.write_all(first.as_bytes())?;
            stream.set_nonblocking(true)?;
            Ok(Trickler { kind, stream, begun: Instant::now(), borne: None })
        };
        Ok(Self { all: (0..count).map(one).collect::<std::io::Result<_>>()? })
    }

    /// Trickles until the server has sent them all away, or `time` is over.
    pub(super) fn trickle(&mut self, dice: &mut Dice, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time && self.all.iter().any(|one| one.borne.is_none()) {
            for one in self.all.iter_mut().filter(|one| one.borne.is_none()) {
                one.turn(dice.one_in(ONE_IN));
            }
            thread::sleep(ROUND);
        }
    }

    /// How many there were of a kind, and how long each that was sent away was borne, in order.
    pub(super) fn borne(&self, kind: Kind) -> (usize, Vec<Duration>) {
        let of_kind = || self.all.iter().filter(|one| one.kind == kind);
        let mut borne: Vec<Duration> = of_kind().filter_map(|one| one.borne).collect();
        borne.sort_unstable();
        (of_kind().count(), borne)
    }
}

impl Trickler {
    /// Says a byte, if it is its turn, and hears whether the server has had enough.
    fn turn(&mut self, says: bool) {
        let said = !says || self.stream.write_all(b" ").is_ok();
        if !said || self.is_sent_away() {
            self.borne = Some(self.begun.elapsed());
        }
    }

    fn is_sent_away(&mut self) -> bool {
        let mut heard = [0; 1024];
        loop {
            match self.stream.read(&mut heard) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(e) => return e.kind() != ErrorKind::WouldBlock,
            }
        }
    }
}
