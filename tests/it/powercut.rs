//! The power goes.
//!
//! Goal: what was told OK is on disk, whole, under its name, whatever the moment. Method: a disk in
//! a file, and the cut that its file system has for the purpose (see `harness::image`). It needs
//! root: without it these tests say that they were skipped.

use std::fs;

use harness::actor::Ferryd;
use harness::content::sum_line;
use harness::image::{FileSystem, Image, Log};
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
