//! How far a transfer is, as a person sees it.
//!
//! Goal: who looks at a terminal sees how far one file is, and many; nobody else is bothered with
//! that, and nothing of it stays. Method: the real `ferry` on a terminal of its own, over a line so
//! slow that there is something to see.

use std::fs;
use std::net::SocketAddr;

use harness::content::bytes;
use harness::fault_proxy::{Fault, FaultProxy};
use harness::{TestServer, actor};
use tempfile::TempDir;

use crate::people::stage;
use crate::seat::{Seat, temporary};
use crate::talk::quick;

/// What a bar is drawn with.
const BAR: [char; 2] = ['█', '░'];

/// Some seconds of work.
const FILM: usize = 6_000_000;

fn slow_line(server: SocketAddr) -> FaultProxy {
    FaultProxy::start(server, |_| Fault::Throttle(2_000_000)).unwrap()
}

/// A folder `album` with a film in a folder of its own, and small files.
fn album(here: &TempDir) {
    let within = here.path().join("album/at the sea");
    fs::create_dir_all(&within).unwrap();
    fs::write(within.join("海边 🏖.mov"), bytes(1, FILM)).unwrap();
    for n in 0..20 {
        fs::write(here.path().join(format!("album/{n}.jpg")), bytes(n, 1000)).unwrap();
    }
}

fn with_film() -> TestServer {
    let server = quick();
    fs::write(server.library().join("film"), bytes(1, FILM)).unwrap();
    server
}

/// The line with a bar that ends so, and what stands between.
fn bar_of<'a>(shown: &'a str, label: &str) -> Option<&'a str> {
    let mut lines = shown.lines().filter_map(|line| line.trim_end().strip_suffix(label));
    lines.find_map(|line| line.strip_prefix(BAR))
}

#[test]
fn one_file_has_a_bar_while_it_moves_and_a_line_when_it_is_there() {
    let (server, here) = (with_film(), temporary());
    let line = slow_line(server.address());
    let mut seat = Seat::take(line.address(), here.path(), &[]);
    seat.types("get film\r");
    seat.screen.shows("s left  film");
    let shown = seat.screen.text();
    if let Some(bar) = bar_of(&shown, "  film") {
        assert!(bar.contains("B/6.00 MB  ") && bar.contains("B/s  "), "{shown}");
    }
    assert!(!shown.contains(" files"), "{shown}");
    seat.screen.shows("get film  6.0 MB");
    seat.is_asked("guest", "/library");
    assert!(!seat.screen.text().contains(BAR), "{}", seat.screen.text());
}

#[test]
fn many_files_have_a_bar_together_and_a_large_one_has_its_own() {
    let (server, here) = (quick(), temporary());
    album(&here);
    let line = slow_line(server.address());
    let mut seat = Seat::take(line.address(), here.path(), &[]);
    seat.types("put -r album\r");
    seat.screen.shows("s left  20 of 21 files");
    // Without the folder, which leaves no room for the name.
    seat.screen.shows("s left  海边 🏖.mov");
    seat.screen.shows("21 files, 6.0 MB in ");
    seat.is_asked("guest", "/library");
    let shown = seat.screen.text();
    assert!(
        !shown.contains(BAR) && shown.contains("put album/at the sea/海边 🏖.mov  6.0 MB"),
        "{shown}"
    );
    assert!(server.library().join("album/at the sea/海边 🏖.mov").is_file());
}

#[test]
fn who_asks_for_no_talk_or_reads_through_a_pipe_sees_no_bar() {
    let (server, here) = (with_film(), temporary());
    let line = slow_line(server.address());
    let output = actor::ferry(stage(), line.address(), ["get", "film"])
        .current_dir(here.path())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
    assert_eq!(said, ["get film  6.0 MB\n", ""]);
    for word in ["--quiet", "--json"] {
        let mut seat = Seat::take(line.address(), here.path(), &[word]);
        seat.types("get film --force\r");
        // What is typed ahead is done when that is over.
        seat.types("lpwd\r");
        seat.screen.shows(&here.path().to_string_lossy());
        let written = seat.screen.transcript();
        assert!(!written.contains(BAR), "{word}: {written}");
    }
}
