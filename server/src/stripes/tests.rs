//! Two servers' stripes over one set of files. Locks belong to the open file, so two in one
//! process keep each other out as two processes do.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::store::{Durability, STRIPES, Store, Tenancy};

fn server(data: &Path, name: &str) -> Stripes {
    let store = Store::open(data, None, Durability::None, Tenancy::Several).unwrap();
    Stripes::new(store.stripe_files().unwrap(), name.to_owned())
}

/// Paths under one stripe.
fn neighbours() -> impl Iterator<Item = String> {
    let stripe = |path: &String| crc32fast::hash(path.as_bytes()) as usize % STRIPES;
    (0..).map(|n| format!("/library/{n}")).filter(move |path| stripe(path) == 0)
}

#[test]
fn a_stripe_never_has_two_servers_and_everybody_has_their_turn() {
    const THREADS: usize = 4;
    const CLAIMS: usize = 40;
    let data = tempfile::tempdir().unwrap();
    let servers = [server(data.path(), "a"), server(data.path(), "b")];
    let inside = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let granted = AtomicUsize::new(0);
    let paths: Vec<String> = neighbours().take(CLAIMS).collect();
    let work = |me: usize, path: &str, gives_up: bool| {
        let share = match servers[me].claim(path, "somebody", 1) {
            Ok(share) => share,
            // Perhaps the only one who waited, and then nobody is next any more.
            Err(turn) if gives_up => return drop(turn),
            Err(turn) => turn.wait(Duration::from_secs(60)).unwrap(),
        };
        inside[me].fetch_add(1, Ordering::SeqCst);
        assert_eq!(inside[1 - me].load(Ordering::SeqCst), 0, "two servers have one stripe");
        thread::yield_now();
        inside[me].fetch_sub(1, Ordering::SeqCst);
        granted.fetch_add(1, Ordering::SeqCst);
        drop(share);
    };
    thread::scope(|scope| {
        for n in 0..2 * THREADS {
            let (work, paths) = (&work, &paths);
            scope.spawn(move || {
                for (round, path) in paths.iter().enumerate() {
                    work(n % 2, path, (n + round) % 7 == 0);
                }
            });
        }
    });
    assert!(granted.load(Ordering::SeqCst) >= 2 * THREADS * CLAIMS * 6 / 7);
    // Nothing is locked for nobody.
    for path in (0..1000).map(|n| format!("/library/{n}")) {
        assert!(is_free(&servers[0], &path) && is_free(&servers[1], &path), "{path}");
    }
}

fn is_free(server: &Stripes, path: &str) -> bool {
    server.claim(path, "somebody", 1).is_ok()
}

#[test]
fn what_another_server_wrote_is_shown_and_not_obeyed() {
    let data = tempfile::tempdir().unwrap();
    let (one, two) = (server(data.path(), "\x1b]0;x\x07"), server(data.path(), "b"));
    let _share = one.claim("/library/f", "a\u{202e}b", 7).unwrap();
    let turn = two.claim("/library/f", "somebody", 1).unwrap_err();
    let Holder::Writer(wait) = turn.holder() else { panic!("{:?}", turn.holder()) };
    assert_eq!(wait.holder, r"a\u{202e}b at \u{1b}]0;x\u{7}");
    // Whatever else may stand there.
    for text in ["", "{", "null", "{\"server\":1}", "[]", "\u{0}\u{0}"] {
        turn.stripe.files.held.set_len(0).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&turn.stripe.files.held, text.as_bytes(), 0)
            .unwrap();
        let unknown = Holder::Neighbour { server: "another server".to_owned(), since: 0 };
        assert_eq!(turn.holder(), unknown, "{text}");
    }
}
