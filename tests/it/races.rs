//! What a path leads to changes while it is being walked.
//!
//! Goal: between the server's look and its step there is nothing to get in by. Method: a thread
//! swaps a folder of the library for a link that leads out of it, again and again, in one step each
//! time, while peers read, list and write through that name as fast as they can. What is outside
//! must neither be seen nor changed.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use harness::content::eager_put;
use rustix::fs::{CWD, Mode, OFlags, RenameFlags, openat, renameat_with};

use crate::talk::{ask_about, quick};

const ROUNDS: usize = 600;
const SECRET: &str = "what nobody may see";

#[test]
fn a_folder_that_becomes_a_link_while_it_is_walked_leads_nowhere() {
    let server = quick();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("f"), SECRET).unwrap();
    fs::write(outside.path().join("secret"), SECRET).unwrap();
    let (inside, link) = (server.library().join("d"), server.library().join("l"));
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("f"), "what all may see").unwrap();
    symlink(outside.path(), &link).unwrap();
    // By the folder itself, for its name may be the link's.
    let folder = File::open(&inside).unwrap();
    let put_back = || {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY;
        if let Ok(file) = openat(&folder, "f", flags, Mode::RUSR | Mode::WUSR) {
            File::from(file).write_all(b"what all may see").unwrap();
        }
    };

    let over = AtomicBool::new(false);
    let (seen, kept) = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                renameat_with(CWD, &inside, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            }
        });
        let looker = scope.spawn(|| {
            let mut peer = server.peer();
            let mut seen = 0;
            for _ in 0..ROUNDS {
                let got = ask_about(&mut peer, "GET", "d/f");
                if got["status"] == "OK" {
                    let size = usize::try_from(got["size"].as_u64().unwrap()).unwrap();
                    let bytes = peer.bytes(size);
                    // Put back a moment ago, it may still be empty.
                    assert!(bytes == b"what all may see" || bytes.is_empty(), "{bytes:?}");
                    seen += 1;
                }
                let mut page = ask_about(&mut peer, "LIST", "d");
                assert!(!page.to_string().contains("secret"), "{page}");
                while page["more"] == true {
                    page = peer.line();
                }
                let stat = ask_about(&mut peer, "STAT", "d/f");
                assert_ne!(stat["size"], SECRET.len(), "{stat}");
            }
            seen
        });
        let writer = scope.spawn(|| {
            let mut peer = server.peer();
            let mut kept = 0;
            for round in 0..ROUNDS {
                peer.send(eager_put(&format!("d/new{round}"), b"x"));
                kept += usize::from(peer.line()["status"] == "OK");
                ask_about(&mut peer, "MKDIR", &format!("d/folder{round}"));
                ask_about(&mut peer, "DELETE", "d/f");
                put_back();
            }
            kept
        });
        let done = (looker.join(), writer.join());
        over.store(true, Ordering::Relaxed);
        (done.0.unwrap(), done.1.unwrap())
    });
    // Both sides of the swap were met, or nothing was tried.
    assert!((1..ROUNDS).contains(&seen), "{seen} of {ROUNDS} reads");
    assert!((1..ROUNDS).contains(&kept), "{kept} of {ROUNDS} uploads");
    let left: Vec<_> = fs::read_dir(outside.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 2, "something was made outside: {left:?}");
    assert_eq!(fs::read_to_string(outside.path().join("f")).unwrap(), SECRET);
}
