//! Those who only cost: who says a byte now and then, and who asks and never reads.

use std::io::ErrorKind;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::protocol::{Put, Request};

use super::raw::line_of;
use super::world::{BIG, LIBRARY_NAMES, World, library_name};
use crate::dice::Dice;

/// A trickler's pause between two bytes.
const PAUSE: Duration = Duration::from_millis(150);
/// How long one who never reads stays.
const DEAF: Duration = Duration::from_secs(12);
/// How often the big file is asked for meanwhile.
const DEAF_ASKS: usize = 20;

/// Trickles, half of the time a request line and half of the time a body, until the server or the
/// soak has had enough; again and again.
pub(super) fn trickle(world: &World, dice: &mut Dice) {
    while !world.is_over() {
        let Ok(stream) = TcpStream::connect(world.server) else { continue };
        let path = library_name(dice.below(LIBRARY_NAMES));
        let put = line_of(&Request::Put(Put { path, size: 2000, ..Put::default() }));
        if dice.one_in(2) {
            // A line that will not end in time.
            trickle_into(world, &stream, &[b' '; 4000]);
        } else if (&stream).write_all(&put).is_ok() {
            trickle_into(world, &stream, &[b'x'; 2000]);
        }
    }
}

/// One byte at a time, until the server closes.
fn trickle_into(world: &World, mut stream: &TcpStream, bytes: &[u8]) {
    if stream.set_read_timeout(Some(PAUSE)).is_err() {
        return;
    }
    let mut answer = [0; 1024];
    for byte in bytes {
        if world.is_over() || stream.write_all(&[*byte]).is_err() {
            return;
        }
        // The pause is spent listening for the server's goodbye.
        let until = Instant::now() + PAUSE;
        while Instant::now() < until {
            match stream.read(&mut answer) {
                Ok(0) => return,
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }
}

/// Asks for much and reads nothing, again and again.
pub(super) fn turn_a_deaf_ear(world: &World) {
    let asks: Vec<u8> = (0..DEAF_ASKS)
        .flat_map(|_| line_of(&Request::Get { path: BIG.into(), offset: None }))
        .collect();
    while !world.is_over() {
        let Ok(mut stream) = TcpStream::connect(world.server) else { continue };
        if stream.write_all(&asks).is_ok() {
            world.idle(DEAF);
        }
    }
}
