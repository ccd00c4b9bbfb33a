//! When all are gone: is everything given back, and is everything there that was promised?

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::protocol::Details;

use super::ledger::Version;
use super::raw::Raw;
use super::speaker::{Answer, Speaker, Trouble, Upload};
use super::world::{PASSWORD, USERS, World, user};
use crate::PATIENCE;
use crate::actor::Ferryd;
use crate::gauges::{self, Gauges};

/// Waits until the server holds no more than before anybody came, or finds what it holds.
pub(super) fn gauges_return(world: &World, server: &Ferryd, base: &Gauges) -> String {
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        match Gauges::of(server.id()) {
            Ok(now) if now.is_back_to(base) => {
                let Gauges { threads, descriptors, .. } = now;
                return format!("back to {threads} threads and {descriptors} descriptors");
            }
            Ok(now) if Instant::now() > deadline => {
                let held = gauges::inventory(server.id());
                world.found(format!("it began with {base:?}, and now has {now:?}: {held}"));
                return "not back to what it was".into();
            }
            Ok(_) => std::thread::sleep(Duration::from_millis(20)),
            Err(gone) => {
                world.found(format!("the server is gone: {gone}"));
                return "gone".into();
            }
        }
    }
}

/// Parts of uploads that cannot be resumed are gone; of the others there are no more than broke
/// off.
pub(super) fn parts_are_gone(world: &World, data: &Path) {
    let left = gauges::names_in(&data.join("library/.ferry"));
    if !left.is_empty() {
        world.found(format!("parts are left in the library: {left:?}"));
    }
    let kept = gauges::names_in(&data.join("home/.ferry"));
    let resumable = world.tally.resumable.load(Ordering::Relaxed);
    if kept.len() as u64 > resumable {
        world.found(format!("{resumable} uploads may be resumed, and parts are left: {kept:?}"));
    }
}

/// Every name stands for what the ledger says, over the wire and on disk, and can be claimed at
/// once.
pub(super) fn promises_are_kept(world: &World, data: &Path) {
    if let Err(trouble) = look_at_all(world, data) {
        world.found(format!("afterwards: {trouble}"));
    }
    if let Err(trouble) = homes_are_counted(world, data) {
        world.found(format!("afterwards: {trouble}"));
    }
}

fn logged_in(world: &World, account: &str) -> Result<Raw, Trouble> {
    let mut raw = Raw::connect(world.server, PATIENCE)?;
    match raw.login(account, PASSWORD)? {
        Answer::Ok(_) => Ok(raw),
        other => Err(Trouble::Wrong(format!("LOGIN {account}: {other:?}"))),
    }
}

fn look_at_all(world: &World, data: &Path) -> Result<(), Trouble> {
    let mut admin = logged_in(world, "admin")?;
    for name in world.ledger.names() {
        let look = world.ledger.looking(&name);
        let on_disk = fs::read(on_disk(data, &name));
        let seen = match &on_disk {
            Ok(bytes) => {
                let fits = |version: &Version| version.bytes() == *bytes;
                look.saw(&format!("a file of {} bytes on disk", bytes.len()), fits)
            }
            Err(_) => look.saw_nothing(),
        };
        seen.unwrap_or_else(|finding| world.found(finding));
        match (admin.get(&name, 0)?, &on_disk) {
            (Answer::Ok((_, got)), Ok(bytes)) if got == *bytes => {}
            (Answer::Refused(..), Err(_)) => {}
            (answer, _) => world.found(format!("{name}: GET and the disk differ: {answer:.300?}")),
        }
        claim(world, &mut admin, &name)?;
    }
    Ok(())
}

/// Puts without waiting: whoever still held the name would be in the way.
fn claim(world: &World, admin: &mut Raw, name: &str) -> Result<(), Trouble> {
    let (version, bytes) = world.ledger.new_version(100);
    let pending = world.ledger.changing(name, Some(version));
    let upload =
        Upload { path: name, bytes: &bytes, eager: false, overwrite: true, mtime: None, wait: 0 };
    match admin.put(upload)? {
        Answer::Ok(()) => pending.done(),
        other => {
            pending.never();
            world.found(format!("{name} cannot be claimed: {other:?}"));
        }
    }
    match admin.sum(name)? {
        Answer::Ok(crc) if crc.0 == version.crc => {}
        other => world.found(format!("{name}: SUM right after OK: {other:?}")),
    }
    Ok(())
}

/// What the homes are said to use is what their files take, and what is kept of uploads that may
/// go on.
fn homes_are_counted(world: &World, data: &Path) -> Result<(), Trouble> {
    let (mut said, mut there) = (0, bytes_below(&data.join("home/.ferry")));
    for n in 0..USERS {
        let user = user(n);
        match logged_in(world, &user)?.stat("/home")? {
            Answer::Ok(Details { used, .. }) => said += used.unwrap_or_default(),
            other => world.found(format!("STAT of the home of {user}: {other:?}")),
        }
        there += bytes_below(&data.join("home").join(&user));
    }
    if said != there {
        world.found(format!("the homes are told to use {said} bytes, and use {there}"));
    }
    Ok(())
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(about) if about.is_dir() => bytes_below(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

fn on_disk(data: &Path, name: &str) -> PathBuf {
    // `/homes/x` is `home/x` on disk.
    data.join(name.trim_start_matches('/').replacen("homes/", "home/", 1))
}

/// The journal has no error in it.
pub(super) fn journal_is_calm(world: &World, data: &Path) {
    let journal = fs::read_to_string(data.join("logs/server.log")).unwrap_or_default();
    let errors = journal.lines().filter(|line| line.contains(" ERROR "));
    for line in errors.take(5) {
        world.found(format!("in the journal: {line}"));
    }
}

/// A signal ends it with status 0.
pub(super) fn stops_as_asked(world: &World, server: Ferryd) {
    match server.stop() {
        Ok(status) if status.success() => {}
        other => world.found(format!("SIGTERM ended it with {other:?}")),
    }
}
