//! What is remembered of a right password.
//!
//! Goal: who comes back is not made to wait for a hash, and nothing else is any different: not for
//! a guesser, not after a password was changed, not for a closed account. Method: real servers in
//! a debug build with a trap (see the server's `point/trap.rs`) at the nth time that a login hashes:
//! the session that comes there panics, so its connection ends without a word.

use std::fs;
use std::path::Path;

use harness::actor::Ferryd;
use harness::{Peer, eventually, skipped};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::people::{PASSWORD, login, newcomer, register, stage, user_task, who};
use crate::talk::{ask, assert_ok, assert_refused, quick};

/// A server at which xiaoyu has an account, and which must not hash for a login too often.
struct Trapped {
    server: Ferryd,
    data: TempDir,
}

impl Trapped {
    /// The `time`th login that is hashed ends its session. `None` in a build without traps.
    fn at_hash(time: u32, words: &[&str]) -> Option<Self> {
        if !cfg!(debug_assertions) {
            skipped("which logins are hashed", "build with debug assertions");
            return None;
        }
        let data = tempfile::tempdir().unwrap();
        let trap = format!("panic@login.hashing#{time}");
        let server = Ferryd::start_with_faults(stage(), data.path(), words, &trap).unwrap();
        assert_ok(&register(&mut Peer::connect(server.address), "xiaoyu", PASSWORD));
        Some(Self { server, data })
    }

    /// The answer to a login on a connection of its own; `Null` from the trap.
    fn login(&self, password: &str) -> Value {
        login(&mut Peer::connect(self.server.address), "xiaoyu", password)
    }

    #[track_caller]
    fn assert_hashes_now(&self, password: &str) {
        let answer = self.login(password);
        assert!(answer.is_null(), "this was the login that should have been hashed: {answer}");
    }
}

#[test]
pub(crate) fn who_comes_back_is_not_hashed_again_and_gets_the_same_answer() {
    let Some(trapped) = Trapped::at_hash(2, &[]) else { return };
    let first = trapped.login(PASSWORD);
    assert_ok(&first);
    for _ in 0..10 {
        assert_eq!(trapped.login(PASSWORD), first);
    }
    // Nor is it for another session of theirs that changes hands, however its name is spelt.
    let mut peer = Peer::connect(trapped.server.address);
    assert_eq!(login(&mut peer, "XiaoYu", PASSWORD), first);
    assert_eq!(who(&mut peer), first);
    // It was all without the trap, and the trap was there.
    trapped.assert_hashes_now("wrong one");
}

#[test]
pub(crate) fn who_comes_from_another_address_is_hashed() {
    let Some(trapped) = Trapped::at_hash(2, &[]) else { return };
    assert_ok(&trapped.login(PASSWORD));
    let mut elsewhere = Peer::connect_from([127, 0, 0, 2].into(), trapped.server.address);
    assert!(login(&mut elsewhere, "xiaoyu", PASSWORD).is_null());
    assert_ok(&trapped.login(PASSWORD));
}

#[test]
pub(crate) fn a_wrong_password_after_a_right_one_is_hashed_and_ends_what_was_remembered() {
    let Some(trapped) = Trapped::at_hash(3, &[]) else { return };
    assert_ok(&trapped.login(PASSWORD));
    assert_refused(&trapped.login("wrong one"), "denied");
    trapped.assert_hashes_now(PASSWORD);
    // That was the trap. Hashed once more, it is remembered once more.
    assert_ok(&trapped.login(PASSWORD));
}

#[test]
pub(crate) fn an_unknown_user_is_hashed_however_often_others_came_back() {
    let Some(trapped) = Trapped::at_hash(2, &[]) else { return };
    assert_ok(&trapped.login(PASSWORD));
    assert_ok(&trapped.login(PASSWORD));
    let mut peer = Peer::connect(trapped.server.address);
    assert!(login(&mut peer, "nobody", PASSWORD).is_null());
}

#[test]
pub(crate) fn what_was_remembered_is_hashed_again_when_its_time_is_over() {
    let Some(trapped) = Trapped::at_hash(2, &["--password-cache", "1"]) else { return };
    assert_ok(&trapped.login(PASSWORD));
    // Using it does not keep it.
    eventually("it is hashed again", || trapped.login(PASSWORD).is_null());
}

#[test]
pub(crate) fn a_server_told_to_remember_nothing_hashes_every_login() {
    let Some(trapped) = Trapped::at_hash(2, &["--password-cache", "0"]) else { return };
    assert_ok(&trapped.login(PASSWORD));
    trapped.assert_hashes_now(PASSWORD);
}

/// Makes the user of this account file an administrator, as an editor would.
fn promote(file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("\"user\","), "{text}");
    fs::write(file, text.replace("\"user\",", "\"admin\",")).unwrap();
}

#[test]
pub(crate) fn the_role_is_that_of_the_account_and_not_what_was_remembered() {
    let Some(trapped) = Trapped::at_hash(2, &[]) else { return };
    assert_eq!(trapped.login(PASSWORD)["role"], "user");
    promote(&trapped.data.path().join("users/xiaoyu.json"));
    assert_eq!(trapped.login(PASSWORD)["role"], "admin");
}

#[test]
pub(crate) fn a_changed_password_is_in_force_at_once_whatever_was_remembered() {
    let server = quick();
    newcomer(&server, "xiaoyu");
    let mut peer = server.peer();
    let mut password = PASSWORD.to_owned();
    for n in 0..3 {
        // Twice, so that it is remembered and was used from there.
        assert_ok(&login(&mut peer, "xiaoyu", &password));
        assert_ok(&login(&mut peer, "xiaoyu", &password));
        let new = format!("new password {n}");
        assert_ok(&ask(&mut peer, &json!({"cmd": "PASSWD", "old": password, "new": new})));
        assert_refused(&login(&mut server.peer(), "xiaoyu", &password), "denied");
        assert_ok(&login(&mut server.peer(), "xiaoyu", &new));
        password = new;
    }
    assert_refused(
        &ask(&mut peer, &json!({"cmd": "PASSWD", "old": PASSWORD, "new": PASSWORD})),
        "denied",
    );
}

#[track_caller]
fn administer(data: &Path, words: &[&str], password: &str) {
    let (status, _, said) = user_task(data, words, password);
    assert_eq!(status, 0, "{words:?}: {said}");
}

#[test]
pub(crate) fn what_is_done_to_an_account_beside_the_server_counts_whatever_was_remembered() {
    let server = quick();
    newcomer(&server, "xiaoyu");
    let come = |password: &str| login(&mut server.peer(), "xiaoyu", password);
    assert_ok(&come(PASSWORD));
    assert_ok(&come(PASSWORD));
    administer(server.data(), &["passwd", "xiaoyu"], "new password");
    assert_refused(&come(PASSWORD), "denied");
    assert_ok(&come("new password"));
    assert_ok(&come("new password"));
    administer(server.data(), &["remove", "xiaoyu"], "");
    assert_refused(&come("new password"), "denied");
    // The next who has the name has nothing of the former's password, even if it is the same.
    administer(server.data(), &["add", "xiaoyu"], PASSWORD);
    assert_refused(&come("new password"), "denied");
    assert_ok(&come(PASSWORD));
}
