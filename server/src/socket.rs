//! A client's connection with a deadline on every wait.
//!
//! The kernel's own time-outs (`SO_RCVTIMEO`, `SO_SNDTIMEO`) start anew with every call, so a peer
//! that moves one byte now and then could hold a thread for ever. Here every call draws on a
//! [`Patience`](crate::patience::Patience), and before each the kernel is told what is left of it.
//!
//! An end that is told the time (`tell_time`) never waits in a call: what would wait is
//! `WouldBlock`, and whoever asks again, later, asks with the same patience.
//!
//! # The one lock that is held across I/O
//! What comes in is read by the session alone. What goes out may have two writers: the session, and
//! once it hears the [room](crate::room), a second thread of its own. A line must stay a line, and
//! between the bytes of a file nothing may come; so whoever sends takes its [`Turn`] first and keeps
//! it until all is sent, however long the client takes. That is a lock held across a wait for a
//! peer, which is forbidden everywhere else, because strangers would wait with it. Here nobody can
//! wait for it but this same client's other thread; and the wait has the deadline of the one that
//! sends.

mod incoming;
mod outgoing;
mod piece;
mod way;

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

pub use self::incoming::Incoming;
pub use self::outgoing::{Outgoing, Turn};
use self::piece::UNSENT_BYTES;
use crate::patience::Deadlines;

/// The system counts the pauses between two probes in seconds.
const PROBE_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// Sets what every client's socket has: no waiting to fill a packet (replies are written whole),
/// and probes that find out when the other end is gone.
pub fn prepare(stream: &TcpStream, deadlines: Deadlines) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    let gone = deadlines.gone();
    let probes = TcpKeepalive::new()
        .with_time(gone)
        .with_interval((gone / 6).max(PROBE_INTERVAL_MIN))
        .with_retries(3);
    socket.set_tcp_keepalive(&probes)?;
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    socket.set_tcp_user_timeout(Some(gone))
}
