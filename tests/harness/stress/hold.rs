//! Many sessions that do nothing. One thread holds them all: what they cost, they cost the server.

use std::io;
use std::net::{SocketAddr, TcpStream};

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::line::{Line, login, resolve};
use super::plan::Target;
use crate::descriptors;

/// How many come at once. Below what a server may have waiting at its door.
const GROUP: u32 = 64;

/// Descriptors beside those of the sessions.
const SPARE_DESCRIPTORS: u32 = 16;

/// The sessions. Dropped, they leave.
#[derive(Debug)]
pub struct Held(Vec<TcpStream>);

/// Opens `count` sessions; all have been greeted, and have logged in if the target says who.
pub fn hold(target: &Target, count: u32) -> io::Result<Held> {
    descriptors::need(count + SPARE_DESCRIPTORS)?;
    let server = resolve(&target.server)?;
    let mut held = Vec::new();
    while held.len() < count as usize {
        let size = (count as usize - held.len()).min(GROUP as usize);
        let group = group(server, target, size);
        let at = held.len();
        held.extend(group.map_err(|error| {
            io::Error::new(error.kind(), format!("sessions {at} to {}: {error}", at + size))
        })?);
    }
    Ok(Held(held))
}

/// Sessions that come together: while one is greeted, the server lets the next one in.
fn group(server: SocketAddr, target: &Target, size: usize) -> io::Result<Vec<TcpStream>> {
    let mut lines = (0..size).map(|_| Line::connect(server)).collect::<io::Result<Vec<_>>>()?;
    lines.iter_mut().try_for_each(Line::greeted)?;
    if let Some(account) = &target.account {
        lines.iter_mut().try_for_each(|line| line.ask(&[login(account)]))?;
        lines.iter_mut().try_for_each(Line::logged_in)?;
    }
    lines.into_iter().map(Line::at_rest).collect()
}

impl Held {
    /// How many of them the server has ended, or spoken to, which it does before it ends one.
    pub fn lost(&self) -> usize {
        let silent = |stream: &&TcpStream| {
            let looked = recv(stream, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
            looked == Err(Errno::AGAIN)
        };
        self.0.iter().filter(|stream| !silent(stream)).count()
    }
}
