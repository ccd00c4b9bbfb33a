//! `ferry @NAME`, and the file that knows the name.
//!
//! Goal: a name stands for a server and a user, gives way to what is typed and to nothing else,
//! and a mistake in the file is told with its place. Method: the real `ferry` with a configuration
//! file of its own; who it turns out to be, and where, shows what it went by.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use harness::{TestServer, actor};
use tempfile::TempDir;

use crate::people::{PASSWORD, newcomer, stage};
use crate::talk::quick;

/// A server with two users, and a folder for what a person configures.
struct Stage {
    server: TestServer,
    folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        let stage = Self { server: quick(), folder: tempfile::tempdir().unwrap() };
        for user in ["xiaoyu", "anna"] {
            newcomer(&stage.server, user);
        }
        fs::create_dir(stage.folder.path().join("ferry")).unwrap();
        stage.save("secret", PASSWORD, 0o600);
        stage.configure("user = \"xiaoyu\"\npassword-file = \"secret\"");
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("ferry").join(name)
    }

    fn save(&self, name: &str, text: &str, mode: u32) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Writes a file that knows the server as `school`, and `more` of it.
    fn configure(&self, more: &str) {
        let address = self.server.address();
        self.save(
            "config.toml",
            &format!("[servers.school]\nserver = \"{address}\"\n{more}"),
            0o644,
        );
    }

    fn ferry(&self, words: &[&str]) -> Command {
        let mut command = actor::new_ferry(stage());
        command.args(words).env("XDG_CONFIG_HOME", self.folder.path()).stdin(Stdio::null());
        command
    }
}

/// Exit status, stdout, stderr.
fn ended(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn assert_is(command: &mut Command, who: &str) {
    let (status, said, complaint) = ended(command);
    assert!(status == Some(0) && said.starts_with(who), "{status:?} {said} {complaint}");
}

fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_name_stands_for_a_server_a_user_and_their_password() {
    let stage = Stage::new();
    assert_is(&mut stage.ferry(&["@school", "who"]), "xiaoyu (user)");
    assert_is(&mut stage.ferry(&["--quiet", "@school", "-c", "who"]), "xiaoyu (user)");
    stage.configure("");
    assert_is(&mut stage.ferry(&["@school", "who"]), "guest (guest)");
}

#[test]
fn a_name_wins_over_the_environment() {
    let stage = Stage::new();
    let mut command = stage.ferry(&["@school", "who"]);
    command.env("FERRY_SERVER", nobody()).env("FERRY_USER", "anna");
    assert_is(command.env("FERRY_PASSWORD", "wrong one"), "xiaoyu (user)");
    // What the file leaves out, the environment may say.
    stage.configure("");
    let mut command = stage.ferry(&["@school", "who"]);
    assert_is(command.env("FERRY_USER", "anna").env("FERRY_PASSWORD", PASSWORD), "anna (user)");
}

#[test]
fn what_is_typed_wins_over_a_name() {
    let stage = Stage::new();
    stage.save("config.toml", &format!("servers.school.server = \"{}\"", nobody()), 0o644);
    let address = stage.server.address().to_string();
    assert_is(&mut stage.ferry(&["@school", "--server", &address, "who"]), "guest");
    stage.configure("user = \"xiaoyu\"\npassword-file = \"secret\"");
    stage.save("another", PASSWORD, 0o600);
    let another = stage.path("another");
    let words = ["@school", "who", "--user", "anna", "--password-file", another.to_str().unwrap()];
    assert_is(&mut stage.ferry(&words), "anna");
}

#[test]
fn the_password_of_one_user_is_not_tried_for_another() {
    let stage = Stage::new();
    stage.save("secret", "wrong one", 0o600);
    let mut command = stage.ferry(&["@school", "--user", "anna", "who"]);
    assert_is(command.env("FERRY_PASSWORD", PASSWORD), "anna");
}

#[test]
fn a_password_file_that_others_may_read_is_warned_of() {
    let stage = Stage::new();
    let warning = |words: &[&str]| {
        let (status, _, said) = ended(&mut stage.ferry(words));
        assert_eq!(status, Some(0), "{said}");
        said.contains("chmod 600")
    };
    assert!(!warning(&["@school", "who"]));
    stage.save("secret", PASSWORD, 0o640);
    assert!(warning(&["@school", "who"]));
    assert!(!warning(&["@school", "who", "--quiet"]));
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_to_do() {
    let stage = Stage::new();
    let told = |name: &str| {
        let (status, _, said) = ended(&mut stage.ferry(&[name, "who"]));
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains(stage.path("config.toml").to_str().unwrap()), "{said}");
        said
    };
    let said = told("@home");
    assert!(said.contains("no server @home") && said.contains("it has @school"), "{said}");
    stage.configure("usr = \"xiaoyu\"");
    let said = told("@school");
    assert!(
        said.contains("line 3: ") && said.contains("`usr`") && said.contains("`user`"),
        "{said}"
    );
    fs::remove_file(stage.path("config.toml")).unwrap();
    let said = told("@school");
    assert!(said.contains("[servers.school]"), "{said}");
}

#[test]
fn who_names_no_server_does_not_need_the_file() {
    let stage = Stage::new();
    stage.save("config.toml", "nonsense", 0o644);
    let address = stage.server.address().to_string();
    assert_is(&mut stage.ferry(&["--server", &address, "who"]), "guest");
    assert_is(stage.ferry(&["who"]).env("FERRY_SERVER", &address), "guest");
    // Help needs no server at all.
    assert_is(&mut stage.ferry(&["@school", "--help"]), "Carry files");
}
