//! The registry under a model checker.
//!
//! This compiles the server's own `registry.rs` against shuttle's Mutex, Condvar and atomics, and
//! runs small scenes under thousands of schedules, chosen at random and by depth of preemption.
//! What is looked for: a lost wake-up (shuttle reports it as a deadlock), a claim held twice, a
//! waiter overtaken, an entry left behind by a session that panicked.
//!
//! shuttle never lets a time-out pass, so a patience that ends is played by a ticket being
//! dropped, which is the same path.

mod sync {
    pub(crate) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard, atomic};
    pub(crate) use std::sync::PoisonError;
}

#[allow(dead_code, unreachable_pub)]
#[path = "../server/src/named.rs"]
mod named;

#[allow(dead_code, unreachable_pub)]
#[path = "../server/src/party.rs"]
mod party;

#[allow(dead_code, unreachable_pub)]
#[path = "../server/src/registry.rs"]
mod registry;

use std::time::Duration;

use shuttle::thread;

use crate::party::Party;
use crate::registry::{Claim, Registry};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex};

const SCHEDULES: usize = 3000;
const PREEMPTIONS: usize = 4;
const FOR_EVER: Duration = Duration::from_secs(3600);

fn under_every_schedule(scene: fn()) {
    shuttle::check_random(scene, SCHEDULES);
    shuttle::check_pct(scene, SCHEDULES, PREEMPTIONS);
}

fn claim<'r>(registry: &'r Registry, path: &str, who: &str) -> Claim<'r> {
    let ticket = match registry.claim(Party::new(0, who, path, 1, None)) {
        Ok(claim) => return claim,
        Err(ticket) => ticket,
    };
    match ticket.wait(FOR_EVER) {
        Ok(claim) => claim,
        Err(ticket) => panic!("a wait that cannot time out did: {ticket:?}"),
    }
}

#[test]
fn nobody_sleeps_on_and_no_path_has_two_holders() {
    under_every_schedule(|| {
        let registry = Arc::new(Registry::new());
        let inside = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..4)
            .map(|n| {
                let (registry, inside) = (Arc::clone(&registry), Arc::clone(&inside));
                thread::spawn(move || {
                    for _ in 0..2 {
                        let _claim = claim(&registry, "a", &format!("c{n}"));
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two holders");
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        assert_eq!(registry.held(), 0);
    });
}

#[test]
fn who_came_first_is_served_first() {
    under_every_schedule(|| {
        let registry = Arc::new(Registry::new());
        let served = Arc::new(Mutex::new(Vec::new()));
        let first = claim(&registry, "a", "first");
        let mut waiters = Vec::new();
        for n in 0..3 {
            // The place in the line is taken here, in order; the waiting is done over there.
            let (registry, served) = (Arc::clone(&registry), Arc::clone(&served));
            let (in_line, lined_up) = shuttle::sync::mpsc::channel();
            waiters.push(thread::spawn(move || {
                let Err(ticket) = registry.claim(Party::new(n, format!("c{n}"), "a", 1, None))
                else {
                    panic!("taken from its holder");
                };
                in_line.send(()).unwrap();
                let _claim = ticket.wait(FOR_EVER).unwrap();
                served.lock().unwrap().push(n);
            }));
            lined_up.recv().unwrap();
        }
        drop(first);
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(*served.lock().unwrap(), [0, 1, 2]);
        assert_eq!(registry.held(), 0);
    });
}

#[test]
fn one_who_gives_up_neither_keeps_nor_loses_anybodys_turn() {
    under_every_schedule(|| {
        let registry = Arc::new(Registry::new());
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let registry = Arc::clone(&registry);
                thread::spawn(move || match registry.claim(Party::new(0, "x", "a", 1, None)) {
                    Ok(_claim) => thread::yield_now(),
                    // Half of them leave the line, perhaps at the very moment of the hand-over.
                    Err(ticket) if n % 2 == 0 => drop(ticket),
                    Err(ticket) => drop(ticket.wait(FOR_EVER).unwrap()),
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(registry.held(), 0);
    });
}

#[test]
fn a_holder_that_panics_gives_its_claim_back() {
    under_every_schedule(|| {
        let registry = Arc::new(Registry::new());
        let falls = {
            let registry = Arc::clone(&registry);
            thread::spawn(move || {
                let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    let _claim = claim(&registry, "a", "falls");
                    // Unwinds like a panic, without the message of one for each schedule.
                    std::panic::resume_unwind(Box::new("a session fell over"));
                }));
                assert!(caught.is_err());
            })
        };
        drop(claim(&registry, "a", "stands"));
        falls.join().unwrap();
        assert_eq!(registry.held(), 0);
    });
}
