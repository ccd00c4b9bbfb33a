//! Tries a tally: one after another, all at once, and while somebody looks.

mod rounds;
mod sync;

use std::thread;

use answer::Tally;
use rounds::fail;

fn main() {
    rounds::play(&[
        ("one vote after another", one_after_another),
        ("eight threads vote for one voter", one_voter),
        ("eight voters at once", eight_voters),
        ("somebody looks while one voter changes sides", looked_at),
    ]);
}

fn one_after_another() {
    let tally = Tally::new();
    let first = [tally.vote(1, true), tally.vote(1, false), tally.vote(2, true)];
    if first != [true, false, true] {
        fail(&format!("voters 1, 1 and 2 vote: whose first vote is it? {first:?}"));
    }
    expect(&tally, (1, 1), "voter 1 has gone over to no, voter 2 said yes");
}

fn one_voter() {
    let tally = Tally::new();
    let first: u32 = at_once(|n| u32::from(tally.vote(7, n % 2 == 0))).into_iter().sum();
    if first != 1 {
        fail(&format!("of eight votes of one voter, {first} were told to be the first"));
    }
    let (yes, no) = tally.result();
    if yes + no != 1 {
        fail(&format!("one voter, and the result is {yes} yes, {no} no"));
    }
}

fn eight_voters() {
    let tally = Tally::new();
    at_once(|n| tally.vote(n, n % 2 == 0));
    expect(&tally, (4, 4), "eight voters, every other one said yes");
}

fn looked_at() {
    let tally = Tally::new();
    tally.vote(7, true);
    thread::scope(|scope| {
        scope.spawn(|| (0..20).for_each(|n| drop(tally.vote(7, n % 2 == 0))));
        for _ in 0..20 {
            let (yes, no) = tally.result();
            if yes + no != 1 {
                fail(&format!("one voter changes sides; who looks sees {yes} yes, {no} no"));
            }
        }
    });
}

fn expect(tally: &Tally, expected: (u32, u32), why: &str) {
    let got = tally.result();
    if got != expected {
        fail(&format!("{why}: (yes, no) is {got:?}, not {expected:?}"));
    }
}

/// Does something in eight threads; what came of each.
fn at_once<T: Send>(deed: impl Fn(u32) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let deed = &deed;
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || deed(n))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}
