//! Disks that are full or read-only.
//!
//! Goal: whatever the disk refuses, no OK is a lie, nothing half-written is seen or left, and the
//! next upload works as soon as there is room. Method: the real `ferryd` on a small tmpfs of its
//! own. Mounting needs root: without it these tests say that they were skipped.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::actor::Ferryd;
use harness::content::{bytes, eager_put, sum_line};
use harness::{Peer, eventually};
use rustix::process::getuid;
use serde_json::json;
use tempfile::TempDir;

use crate::people::{PASSWORD, known, login, overwrite, register, stage};
use crate::talk::{
    ask, ask_about, assert_goes_on, assert_ok, assert_refused, begin, get, list, put,
};
use crate::witness::{Witness, assert_told, put_as};

/// A small disk of its own. Unmounted when dropped.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// `None`, said aloud, where nothing can be mounted.
    fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "ferry-test"]).arg(folder.path());
        if getuid().is_root() && mount.status().is_ok_and(|status| status.success()) {
            return Some(Self { folder });
        }
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        let _ = writeln!(io::stderr(), "SKIPPED: {name}: only root can mount a tmpfs");
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]).arg(self.path());
        assert!(mount.status().unwrap().success(), "remount {options}");
    }

    /// Fills it to the last byte with a file that no server knows of.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("ballast");
        let mut ballast = File::create(&path).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: also when a test has failed with a file still open.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_is_no_space_until_somebody_makes_room() {
    let Some(disk) = Disk::mount("size=2m") else { return };
    let mut witness = Witness::start(disk.path());
    let mut peer = witness.peer();
    let mut refused = [0, 0];
    for n in 0_u32.. {
        let (eager, name, content) = (n % 2 == 0, format!("{n:03}"), bytes(n.into(), 100_000));
        let told = put_as(&mut peer, eager, &name, &content);
        witness.note(&name, &content, &told);
        if told["status"] != "OK" {
            assert_refused(&told, "no-space");
            refused[usize::from(eager)] += 1;
        }
        if refused[0].min(refused[1]) == 2 {
            break;
        }
        assert!(n < 100, "10 MB on a disk of 2: {refused:?}");
    }
    // In the middle of a pipeline, with others that fit before and behind it.
    let line = [("empty-1", vec![]), ("big", bytes(5, 900_000)), ("empty-2", vec![])];
    peer.send(line.iter().flat_map(|(name, content)| eager_put(name, content)).collect::<Vec<_>>());
    for (name, content) in &line {
        let told = peer.line();
        assert_told(&told, *name != "big", "no-space");
        witness.note(name, content, &told);
    }
    assert_refused(&begin(&mut peer, "film", 3_000_000), "no-space");
    drop(peer);
    witness.check();

    witness.remove_by_hand(3);
    let mut peer = witness.peer();
    for eager in [true, false] {
        let (name, content) = (format!("later-{eager}"), bytes(7, 100_000));
        let told = put_as(&mut peer, eager, &name, &content);
        assert_ok(&told);
        witness.note(&name, &content, &told);
    }
    drop(peer);
    witness.check();
    // The journal, which had no room either, goes on as well.
    let log = disk.path().join("logs/server.log");
    eventually("the log tells of it", || {
        String::from_utf8_lossy(&fs::read(&log).unwrap()).contains("later-false")
    });
}

#[test]
fn of_many_who_fill_a_disk_at_once_each_is_told_the_truth() {
    let Some(disk) = Disk::mount("size=2m") else { return };
    let mut witness = Witness::start(disk.path());
    let address = witness.server.address;
    let told: Vec<_> = std::thread::scope(|scope| {
        let one = |n: u64| {
            let mut peer = Peer::connect(address);
            (0..8)
                .map(|round| {
                    let (name, content) = (format!("{n}-{round}"), bytes(n * 8 + round, 70_000));
                    let told = put_as(&mut peer, (n + round).is_multiple_of(2), &name, &content);
                    (name, content, told)
                })
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || one(n))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    for (name, content, told) in &told {
        if told["status"] != "OK" {
            assert_refused(told, "no-space");
        }
        witness.note(name, content, told);
    }
    // 4.4 MB were sent; those that were refused must not have kept the others from fitting in.
    assert!((10..30).contains(&witness.kept.len()), "{} fitted", witness.kept.len());
    witness.check();
}

#[test]
fn a_disk_without_inodes_is_no_space_until_a_file_is_removed() {
    let Some(disk) = Disk::mount("size=2m,nr_inodes=20") else { return };
    let mut witness = Witness::start(disk.path());
    let mut peer = witness.peer();
    let mut refused = 0;
    for n in 0..20 {
        let (name, content) = (format!("{n:02}"), bytes(n, 9));
        let told = put_as(&mut peer, n % 2 == 0, &name, &content);
        if told["status"] != "OK" {
            assert_refused(&told, "no-space");
            refused += 1;
        }
        witness.note(&name, &content, &told);
    }
    assert!(refused > 1 && witness.kept.len() > 1, "{refused} refused");
    assert_refused(&ask_about(&mut peer, "MKDIR", "d"), "no-space");
    assert_eq!(register(&mut peer, "ann", PASSWORD)["status"], "FAIL");
    drop(peer);
    witness.check();
    witness.remove_by_hand(1);
    let mut peer = witness.peer();
    let told = put(&mut peer, "later", b"later");
    assert_ok(&told);
    witness.note("later", b"later", &told);
    drop(peer);
    witness.check();
}

#[test]
fn on_a_full_disk_a_home_and_its_account_stay_as_they_were() {
    let Some(disk) = Disk::mount("size=2m") else { return };
    let witness = Witness::start(disk.path());
    let mut peer = witness.peer();
    assert_ok(&register(&mut peer, "ann", PASSWORD));
    let (old, new) = (bytes(1, 50_000), bytes(2, 60_000));
    assert_ok(&put(&mut peer, "/home/f", &old));

    let ballast = disk.fill();
    assert_refused(&overwrite(&mut peer, "/home/f", &new), "no-space");
    let wire = eager_put("/home/f", &new);
    let wire = String::from_utf8_lossy(&wire[..wire.iter().position(|b| *b == b'\n').unwrap()])
        .replace(",\"eager\"", ",\"overwrite\":true,\"eager\"");
    peer.send(format!("{wire}\n"));
    peer.send(&new);
    peer.send(sum_line(&new));
    assert_refused(&peer.line(), "no-space");
    let passwd = json!({"cmd": "PASSWD", "old": PASSWORD, "new": "changed"});
    assert_eq!(ask(&mut peer, &passwd)["status"], "FAIL");
    let mut other = witness.peer();
    assert_eq!(register(&mut other, "bob", PASSWORD)["status"], "FAIL");
    assert!(get(&mut known(witness.server.address, "ann"), "/home/f").1 == old);
    assert_eq!(ask_about(&mut peer, "STAT", "/home")["used"], 50_000);
    for tree in ["home", "users"] {
        eventually("no part is left", || {
            fs::read_dir(disk.path().join(tree).join(".ferry")).unwrap().count() == 0
        });
    }

    fs::remove_file(ballast).unwrap();
    assert_ok(&overwrite(&mut peer, "/home/f", &new));
    assert!(get(&mut peer, "/home/f").1 == new);
    assert_eq!(ask_about(&mut peer, "STAT", "/home")["used"], 60_000);
    assert_ok(&register(&mut other, "bob", PASSWORD));
    assert_ok(&ask(&mut peer, &passwd));
    assert_ok(&login(&mut other, "ann", "changed"));
    drop((peer, other));
    witness.check();
}

/// The protocol page promises the reason `no-space` for a full disk, whatever was to be written.
#[test]
fn an_account_that_finds_no_room_is_no_space() {
    let Some(disk) = Disk::mount("size=2m") else { return };
    let witness = Witness::start(disk.path());
    let (mut ann, mut bob) = (witness.peer(), witness.peer());
    assert_ok(&register(&mut ann, "ann", PASSWORD));
    disk.fill();
    assert_refused(&register(&mut bob, "bob", PASSWORD), "no-space");
    let passwd = json!({"cmd": "PASSWD", "old": PASSWORD, "new": "changed"});
    assert_refused(&ask(&mut ann, &passwd), "no-space");
}

#[test]
fn an_owner_can_make_room_on_a_full_disk() {
    let Some(disk) = Disk::mount("size=2m") else { return };
    let witness = Witness::start(disk.path());
    let mut peer = witness.peer();
    assert_ok(&register(&mut peer, "ann", PASSWORD));
    let content = bytes(1, 300_000);
    assert_ok(&put(&mut peer, "/home/f", &content));
    disk.fill();
    assert_refused(&put(&mut peer, "/home/g", &content), "no-space");
    assert_ok(&ask_about(&mut peer, "DELETE", "/home/f"));
    assert_ok(&put(&mut peer, "/home/g", &content));
}

#[test]
fn a_read_only_library_is_denied_to_writers_and_open_to_readers() {
    let Some(disk) = Disk::mount("size=2m") else { return };
    let data = tempfile::tempdir().unwrap();
    let words = ["--library", disk.path().to_str().unwrap()];
    let server = Ferryd::start(stage(), data.path(), &words).unwrap();
    let mut witness = Witness::of(server, disk.path().to_owned());
    let (mut peer, content) = (witness.peer(), bytes(1, 50_000));
    let told = put(&mut peer, "old", &content);
    witness.note("old", &content, &told);

    disk.remount("ro");
    for eager in [true, false] {
        let told = put_as(&mut peer, eager, "new", b"new");
        assert_refused(&told, "denied");
        assert!(told["message"].as_str().unwrap().contains("read-only"), "{told}");
    }
    assert_refused(&ask_about(&mut peer, "MKDIR", "d"), "denied");
    assert_ok(&ask_about(&mut peer, "SUM", "old"));
    assert_eq!(list(&mut peer, "").len(), 1);
    assert_goes_on(&mut peer);
    drop(peer);
    witness.check();

    disk.remount("rw");
    let told = put(&mut witness.peer(), "new", b"new");
    assert_ok(&told);
    witness.note("new", b"new", &told);
    witness.check();
}
