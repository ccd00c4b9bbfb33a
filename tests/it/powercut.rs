//! The power goes.
//!
//! Goal: what was told OK is on disk, whole, under its name, whatever the moment; and a server
//! that leaves out a sync is found out. Method: a disk in a file, and the cut that its file system
//! has for the purpose (see `harness::image`); the program `powercut` does the same for longer.
//! It needs root: without it these tests say that they were skipped.

use std::fs;

use harness::actor::Ferryd;
use harness::content::sum_line;
use harness::image::{FileSystem, Image, Log};
use harness::powercut::Trial;
use harness::{Peer, eventually, skipped};
use rustix::process::Signal;

use crate::people::stage;
use crate::talk::{assert_ok, assert_refused, begin};

/// An empty disk; `None`, said aloud, where there can be none.
fn disk(file_system: FileSystem) -> Option<Image> {
    let made = Image::make(file_system);
    made.inspect_err(|missing| {
        skipped(std::thread::current().name().unwrap_or_default(), missing);
    })
    .ok()
}

/// One cut behind the last OK and one in the middle, with the log flushed and with the log lost.
fn every_ok_is_true_on(file_system: FileSystem) {
    let Some(image) = disk(file_system) else { return };
    for log in Log::ALL {
        let trial = Trial { stage: stage(), image: &image, log, faults: "" };
        let verdict = trial.cut(0..2, 1, || true).unwrap();
        assert!(verdict.is_good(), "{log}: {:#?}", verdict.notes);
        assert!(verdict.files > 0, "nothing was promised, so nothing was tried");
    }
}

#[test]
fn after_a_power_cut_everything_told_ok_is_whole_on_ext4() {
    every_ok_is_true_on(FileSystem::Ext4);
}

#[test]
fn after_a_power_cut_everything_told_ok_is_whole_on_xfs() {
    every_ok_is_true_on(FileSystem::Xfs);
}

/// Whether cuts behind the last OK show that this sync was left out. One is enough, unless the
/// machine is so slow that the kernel brings everything to disk by itself.
fn is_found_out(faults: &str, log: Log) -> bool {
    let Some(image) = disk(FileSystem::Ext4) else { return true };
    if !cfg!(debug_assertions) {
        skipped(faults, "faults, which a release build does not know");
        return true;
    }
    let trial = Trial { stage: stage(), image: &image, log, faults };
    (0..5).any(|seed| !trial.cut(0..1, seed, || true).unwrap().is_good())
}

#[test]
fn a_server_that_does_not_sync_what_it_wrote_is_found_out() {
    assert!(is_found_out("skip@part.sync", Log::Flushed));
}

#[test]
fn a_server_that_does_not_sync_the_names_it_gave_is_found_out() {
    assert!(is_found_out("skip@folder.sync", Log::Lost));
}

/// xfs says that a folder is synced also when its log has just been given up.
#[test]
fn an_upload_whose_disk_goes_before_its_name_is_synced_is_not_told_ok() {
    if !cfg!(debug_assertions) {
        skipped("a disk that goes before a sync", "faults, which a release build does not know");
        return;
    }
    for file_system in FileSystem::ALL {
        let Some(image) = disk(file_system) else { return };
        let disk = image.mount().unwrap();
        let data = disk.path().join("ferry-data");
        let faults = "stop@put.published";
        let server = Ferryd::start_with_faults(stage(), &data, &[], faults).unwrap();
        let mut peer = Peer::connect(server.address);
        assert_ok(&begin(&mut peer, "f", 5));
        peer.send(b"hello");
        peer.send(sum_line(b"hello"));
        eventually("it stands still, the file named and the folder not synced", || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
            stat.contains(") T ")
        });
        disk.cut(Log::Lost).unwrap();
        server.signal(Signal::CONT).unwrap();
        let told = peer.line();
        assert_refused(&told, "internal");
        server.kill().unwrap();
        disk.unmount().unwrap();
    }
}
