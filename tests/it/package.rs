//! What the Debian package installs, and how it starts the server.
//!
//! Goal: nothing that the package lists is missing, and `ferryd` accepts what it is started with.
//! Method: the list, the unit and the settings are read as they stand; what is made for the package
//! is made here by the same script, with the programs under test. The package itself is built,
//! installed and used by `server/debian/check`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use server::config::Config;
use tempfile::TempDir;
use toml::Table;

use crate::people::stage;

/// Where the package's own files are, and what its list starts from.
fn crate_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("server")
}

fn read(name: &str) -> String {
    fs::read_to_string(crate_folder().join("debian").join(name)).unwrap()
}

/// A file of the package: where it comes from, and where it is to be.
struct Asset {
    source: String,
    target: String,
}

impl Asset {
    /// The path it will have when installed.
    fn installed(&self) -> PathBuf {
        let target = Path::new("/").join(&self.target);
        let name = Path::new(&self.source).file_name().unwrap();
        if self.target.ends_with('/') { target.join(name) } else { target }
    }
}

fn assets() -> Vec<Asset> {
    let manifest: Table =
        fs::read_to_string(crate_folder().join("Cargo.toml")).unwrap().parse().unwrap();
    let listed = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap();
    let word = |value: &toml::Value| value.as_str().unwrap().to_owned();
    listed.iter().map(|row| Asset { source: word(&row[0]), target: word(&row[1]) }).collect()
}

/// What a unit says of `key`.
fn unit(key: &str) -> String {
    let unit = read("ferryd.service");
    let value = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("the unit says nothing of {key}")).to_owned()
}

/// What `ferryd` makes of a settings file.
fn read_config(settings: &Path) -> Config {
    let words = [OsString::from("ferryd"), "--config".into(), settings.into()];
    Config::read(words).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// All that holds with such a settings file.
fn in_force(settings: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ferryd.toml");
    fs::write(&file, settings).unwrap();
    let mut config = read_config(&file);
    config.config = None;
    format!("{config:?}")
}

/// A folder in which `ferryd` and `ferry` are the programs under test.
fn programs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    // Another process writes them. What is open for writing cannot be run, and what were open here
    // would for a moment be open in every process that another test starts just then.
    let write = r#"for program in ferryd ferry; do
        printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$0" $program >$program; chmod +x $program
    done"#;
    let mut shell = Command::new("sh");
    let status = shell.args(["-ec", write]).arg(stage()).current_dir(&folder).status().unwrap();
    assert!(status.success(), "{status}");
    folder
}

#[test]
fn everything_the_package_installs_is_in_the_sources_or_made_for_it() {
    let (programs, made) = (programs(), tempfile::tempdir().unwrap());
    let script = crate_folder().join("debian/reference");
    let reference = made.path().join("reference");
    let status = Command::new(script).arg(programs.path()).arg(&reference).status().unwrap();
    assert!(status.success(), "{status}");
    let listed = assets();
    assert!(listed.len() > 10, "only {}", listed.len());
    for Asset { source, target } in &listed {
        let found = match source.strip_prefix("target/release/") {
            Some(program @ ("ferryd" | "ferry")) => programs.path().join(program),
            Some(page) => made.path().join(page),
            None => crate_folder().join(source),
        };
        let mut files = glob::glob(found.to_str().unwrap()).unwrap();
        assert!(files.any(|file| file.unwrap().is_file()), "no {source} for {target}");
    }
}

#[test]
fn the_service_starts_what_is_installed_with_settings_that_are_accepted() {
    let listed = assets();
    let asset = |path: &str| listed.iter().find(|asset| asset.installed() == Path::new(path));
    let start = unit("ExecStart");
    let words: Vec<&str> = start.split(' ').collect();
    let [program, "--config", file] = words[..] else { panic!("{start}") };
    assert_eq!(asset(program).unwrap().source, "target/release/ferryd");
    let settings = crate_folder().join(&asset(file).unwrap().source);
    let config = read_config(&settings);
    assert!(config.listen.ip().is_loopback(), "open to others unasked: {}", config.listen);
    assert_eq!(config.data, Path::new("/var/lib").join(unit("StateDirectory")));
    assert!(read("ferry.sysusers").contains(&format!("\nu {} ", unit("User"))));
    let stop = Duration::from_secs(unit("TimeoutStopSec").parse().unwrap());
    assert!(stop > config.grace + Duration::from_secs(30), "killed while it stops");
}

/// systemd forbids the whole call under this setting, because it cannot see the mode in it.
#[test]
fn the_service_is_not_kept_from_the_system_call_that_opens_its_files() {
    let unit = read("ferryd.service");
    let forbids =
        |line: &str| line.starts_with("RestrictSUIDSGID=") || line.starts_with("DynamicUser=");
    assert!(!unit.lines().any(forbids), "openat2 would fail");
}

#[test]
fn settings_that_are_commented_out_are_the_defaults_or_examples_that_are_accepted() {
    let without_default = ["library", "quota", "max-per-address"];
    let settings = read("ferryd.toml");
    let usual = in_force("");
    let settings = settings.lines().filter_map(|line| line.strip_prefix('#'));
    // A comment has a space there.
    let settings: Vec<&str> = settings.filter(|line| !line.starts_with(' ')).collect();
    assert!(settings.len() > 10, "only {settings:?}");
    for line in settings {
        let (name, _) = line.split_once(" = ").unwrap();
        let is_default = in_force(line) == usual;
        assert_eq!(is_default, !without_default.contains(&name), "{line}");
    }
}
