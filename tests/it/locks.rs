//! Locks that count, and are called by the name of their data.
//!
//! Goal: the numbers are right, cost nobody a wait, and a panic under a lock locks nobody out.
//! Method: the server's own `Named`, from several threads. Its unit would be compiled for the model
//! checker as well, whose Mutex works nowhere else; so its tests are here.

use std::sync::Barrier;
use std::thread;

use common::watch::Lock;
use server::named::Named;

#[test]
fn a_lock_s_numbers_can_be_read_while_it_is_held() {
    let named = Named::new("registry", 0);
    *named.lock() += 1;
    let held = named.lock();
    assert_eq!(named.lock_counts(), Lock { name: "registry".into(), taken: 2, contended: 0 });
    drop(held);
}

#[test]
fn of_many_who_take_a_lock_at_once_every_one_is_counted() {
    const ROUNDS: u64 = 10_000;
    let named = Named::new("registry", 0);
    let begun = Barrier::new(2);
    let work = || (0..ROUNDS).for_each(|_| *named.lock() += 1);
    thread::scope(|scope| {
        scope.spawn(|| {
            begun.wait();
            work();
        });
        begun.wait();
        work();
    });
    let counts = named.lock_counts();
    assert_eq!((counts.taken, *named.lock()), (2 * ROUNDS, 2 * ROUNDS));
    assert!(counts.contended <= counts.taken);
}

#[test]
fn a_panic_under_a_lock_is_no_reason_to_let_nobody_in() {
    let named = Named::new("registry", 7);
    let panicked = thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let _held = named.lock();
            panic!("as a test wishes");
        });
        thread.join().is_err()
    });
    assert!(panicked);
    assert_eq!((*named.lock(), named.lock_counts().taken), (7, 2));
}
