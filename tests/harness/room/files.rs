//! Two who move files all the while: one up, one down.

use std::io::{self, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use client::client::{Client, PutOptions};
use client::error::Error;

use crate::content::Endless;

/// The length of their files, in bytes.
const FILE_BYTES: u64 = 32 * 1024 * 1024;

/// Both of them.
pub(super) struct Movers {
    up: Client,
    down: Client,
}

/// How fast files went, in MiB a second.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Speeds {
    /// Into the server, each until it was on disk.
    pub up: f64,
    /// Out of it.
    pub down: f64,
}

impl Movers {
    /// Two users, and the file that one of them will fetch again and again.
    pub(super) fn come(server: &str) -> Result<Self, Error> {
        let (mut up, mut down) = (Client::connect(server)?, Client::connect(server)?);
        up.register("up", "123456")?;
        down.register("down", "123456")?;
        put(&mut down)?;
        Ok(Self { up, down })
    }

    /// Moves files while `meanwhile` runs, both ways at once.
    pub(super) fn move_while<T>(
        &mut self,
        meanwhile: impl FnOnce() -> T,
    ) -> io::Result<(T, Speeds)> {
        let over = AtomicBool::new(false);
        let (up, down) = (&mut self.up, &mut self.down);
        thread::scope(|scope| {
            let up = scope.spawn(|| again_and_again(&over, || put(up)));
            let down = scope.spawn(|| again_and_again(&over, || get(down)));
            let done = meanwhile();
            over.store(true, Ordering::SeqCst);
            let died = |_| io::Error::other("a mover died");
            let up = up.join().map_err(died)?.map_err(io::Error::other)?;
            let down = down.join().map_err(died)?.map_err(io::Error::other)?;
            Ok((done, Speeds { up, down }))
        })
    }
}

fn put(client: &mut Client) -> Result<(), Error> {
    let options = PutOptions { overwrite: true, ..PutOptions::default() };
    client.put("/home/film", FILE_BYTES, &mut Endless::new(1).take(FILE_BYTES), options)
}

fn get(client: &mut Client) -> Result<(), Error> {
    client.get("/home/film", &mut io::sink()).map(drop)
}

/// How fast it went, in MiB a second. At least one is moved.
fn again_and_again(
    over: &AtomicBool,
    mut step: impl FnMut() -> Result<(), Error>,
) -> Result<f64, Error> {
    let begun = Instant::now();
    let mut mebibytes = 0.0;
    while mebibytes == 0.0 || !over.load(Ordering::SeqCst) {
        step()?;
        mebibytes += 32.0;
    }
    Ok(mebibytes / begun.elapsed().max(Duration::from_millis(1)).as_secs_f64())
}
