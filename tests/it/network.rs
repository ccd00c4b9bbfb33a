//! A network of one test's own.
//!
//! Goal: a test has addresses of other machines, and a line it can cut, and disturbs nobody.
//! Method: a thread moves into a fresh network namespace, in which all it starts begins as well.
//! Nothing of it has a name, so nothing can be left behind.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};
use std::thread;

use harness::skipped;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Every address of this network is the machine's own, and none of them a loopback address.
pub(crate) const ELSEWHERE: &str = "10.9.0.0/24";

/// Runs `test` in a network of its own; where there can be none, says that `check` was skipped.
pub(crate) fn in_a_network_of_its_own(check: &str, test: impl FnOnce() + Send) {
    let Some(network) = fresh_network() else {
        return skipped(check, "root, unshare or ip, to make a network");
    };
    let entered = thread::scope(|scope| {
        let inside = scope.spawn(|| {
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            test();
        });
        inside.join()
    });
    if let Err(panicked) = entered {
        std::panic::resume_unwind(panicked);
    }
}

/// A network with nothing in it but its loopback device. It is there for as long as it is held.
fn fresh_network() -> Option<File> {
    let script = format!("ip link set lo up && ip addr add {ELSEWHERE} dev lo && echo up && cat");
    let mut maker = Command::new("unshare")
        .args(["-n", "sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut said = String::new();
    BufReader::new(maker.stdout.take()?).read_line(&mut said).ok()?;
    let network = File::open(format!("/proc/{}/ns/net", maker.id())).ok();
    // Its `cat` ends with its input.
    drop(maker.stdin.take());
    maker.wait().ok()?;
    network.filter(|_| said == "up\n")
}

/// The line to everybody is cut, or mended.
pub(crate) fn line(state: &str) {
    assert!(Command::new("ip").args(["link", "set", "lo", state]).status().unwrap().success());
}
