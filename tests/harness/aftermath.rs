//! What is left when a server has died, looked at from every side: the disk before anybody tidies
//! it, a fresh server on it, what that server lists, sends and lets in, and the disk again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use client::client::Client;
use client::error::Error;
use common::protocol::{Kind, Reason};

use crate::actor::Ferryd;
use crate::promises::{Content, Found, Place, Promises, Thing};
use crate::verdict::{Fault, Verdict};

/// The folders of a data folder that have hidden parts.
const TREES: [&str; 3] = ["library", "home", "users"];

/// Starts a server on what another left in `data`, and judges what is there.
///
/// An error means that nothing could be judged; that the new server does not start is one.
pub fn judge(stage: &Path, data: &Path, promises: &Promises) -> io::Result<Verdict> {
    let mut hidden = hidden(data)?;
    // Parts may lie there: they are swept by the start.
    hidden.retain(|path| path.extension().is_none_or(|extension| extension != "part"));
    let server = Ferryd::start(stage, data, &[])?;
    let mut found = on_disk(data)?;
    let (accounts, differs) = ask(&server, promises, &found)?;
    found.extend(accounts);
    let mut verdict = promises.judge(&found);
    for note in differs {
        verdict.blame(Fault::Wrong, note);
    }
    hidden.extend(self::hidden(data)?);
    for path in hidden {
        verdict.blame(Fault::Left, path.display().to_string());
    }
    let status = server.stop()?;
    if status.success() { Ok(verdict) } else { Err(io::Error::other(status.to_string())) }
}

/// What lies in the hidden folders. After a start that is nothing: parts that could be resumed
/// stay, but nobody who asks [`Promises`] for anything asks for that.
fn hidden(data: &Path) -> io::Result<Vec<PathBuf>> {
    let mut hidden = Vec::new();
    for tree in TREES {
        match fs::read_dir(data.join(tree).join(".ferry")) {
            Ok(entries) => {
                for entry in entries {
                    hidden.push(entry?.path());
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(hidden)
}

/// Everything that people could see, read from the disk by other means than the server's.
fn on_disk(data: &Path) -> io::Result<Found> {
    let mut found = Found::new();
    walk(&data.join("library"), "/library", &mut found)?;
    for home in seen(&data.join("home"))? {
        walk(&home.path(), &format!("/homes/{}", home.file_name().display()), &mut found)?;
    }
    Ok(found)
}

/// The entries of a folder, without the hidden parts.
fn seen(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    Ok(entries.into_iter().filter(|entry| entry.file_name() != ".ferry").collect())
}

fn walk(folder: &Path, path: &str, found: &mut Found) -> io::Result<()> {
    for entry in seen(folder)? {
        let path = format!("{path}/{}", entry.file_name().display());
        let thing = if entry.file_type()?.is_dir() {
            walk(&entry.path(), &path, found)?;
            Thing::Folder
        } else {
            Thing::File(Content::of(&fs::read(entry.path())?))
        };
        found.insert(Place::Path(path), thing);
    }
    Ok(())
}

/// Asks the server for everything: the library as a guest, each home as its user. Gives the
/// accounts that are there, and in words what it serves otherwise than the disk has it.
fn ask(server: &Ferryd, promises: &Promises, on_disk: &Found) -> io::Result<(Found, Vec<String>)> {
    let mut guest = connect(server)?;
    let (mut accounts, mut shown) = (Found::new(), Found::new());
    serve(&mut guest, "/library", "/library", &mut shown)?;
    for (user, passwords) in promises.passwords() {
        let home = format!("/homes/{user}");
        let mut client = connect(server)?;
        let account = let_in(&mut client, user, &passwords)?;
        if matches!(account, Thing::Account(_)) {
            serve(&mut client, "/home", &home, &mut shown)?;
        } else {
            // Nobody can be asked for what is in there; the disk alone speaks.
            let home = format!("{home}/");
            let inside = |place: &Place| matches!(place, Place::Path(p) if p.starts_with(&home));
            let rest = on_disk.iter().filter(|(place, _)| inside(place));
            shown.extend(rest.map(|(place, thing)| (place.clone(), thing.clone())));
        }
        accounts.insert(Place::Account(user.to_owned()), account);
    }
    let differs = shown.iter().filter(|(place, thing)| on_disk.get(place) != Some(thing));
    let mut differs: Vec<_> =
        differs.map(|(place, thing)| format!("{place} is served as {thing}")).collect();
    let unserved = on_disk.keys().filter(|place| !shown.contains_key(place));
    differs.extend(unserved.map(|place| format!("{place} is not listed")));
    Ok((accounts, differs))
}

/// Tries the passwords that may be right.
fn let_in(client: &mut Client, user: &str, passwords: &[&str]) -> io::Result<Thing> {
    for password in passwords {
        match client.login(user, password) {
            Ok(_) => return Ok(Thing::Account((*password).to_owned())),
            Err(Error::LoginRefused(_)) => {}
            Err(error) if error.reason() == Some(Reason::Internal) => return Ok(Thing::Broken),
            Err(error) => return Err(io::Error::other(error)),
        }
    }
    Ok(Thing::Nothing)
}

/// Lists a folder and gets every file below it, checksums compared as any client does.
fn serve(client: &mut Client, folder: &str, path: &str, found: &mut Found) -> io::Result<()> {
    for entry in client.list(Some(folder)).map_err(io::Error::other)? {
        let (asked, path) = (format!("{folder}/{}", entry.name), format!("{path}/{}", entry.name));
        let thing = match entry.stat.kind {
            Kind::Folder => {
                serve(client, &asked, &path, found)?;
                Thing::Folder
            }
            Kind::File => get(client, &asked)?,
        };
        found.insert(Place::Path(path), thing);
    }
    Ok(())
}

fn get(client: &mut Client, path: &str) -> io::Result<Thing> {
    match client.get(path, &mut io::sink()) {
        Ok(got) => {
            let crc32 = got.crc32.map_or(0, |crc32| crc32.0);
            Ok(Thing::File(Content { size: got.size, crc32 }))
        }
        Err(Error::Integrity { .. }) => Ok(Thing::Broken),
        Err(error) => Err(io::Error::other(error)),
    }
}

fn connect(server: &Ferryd) -> io::Result<Client> {
    Client::connect(&server.address.to_string()).map_err(io::Error::other)
}
