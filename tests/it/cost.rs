//! Two builds of the server, compared: with little of everything, whether it works. What comes of it
//! is not judged here.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

fn cost(words: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cost"));
    command.args(["--quick", "--rounds", "2"]).args(words).output().unwrap()
}

#[test]
fn a_build_that_is_compared_with_itself_has_a_ratio_for_each_workload() {
    let folder = tempfile::tempdir().unwrap();
    let ferryd = folder.path().join("ferryd");
    let words = concat!("#!/bin/sh\nexec ", env!("CARGO_BIN_EXE_demo"), " ferryd \"$@\"\n");
    fs::write(&ferryd, words).unwrap();
    fs::set_permissions(&ferryd, fs::Permissions::from_mode(0o755)).unwrap();
    let output = cost(&[&ferryd, &ferryd]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for work in ["2 MiB up ", "20 × 4 KiB up "] {
        let line = said.lines().find_map(|line| line.strip_prefix(work));
        let figures: Vec<&str> = line.expect(work).split_whitespace().collect();
        let ratio = |place: usize| figures[place].parse::<f64>().unwrap();
        assert!(figures.len() == 6 && ratio(0) > 0.0 && ratio(3) > 0.0, "{said}");
    }
}

#[test]
fn what_is_no_ferryd_is_said() {
    let output = cost(&[Path::new("/bin/true"), Path::new("/bin/true")]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with("cost: ferryd said ``"), "{said}");
}
