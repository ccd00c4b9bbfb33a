//! Tries a bounded queue: its order, its bound, its end, and many at both ends.

mod rounds;
mod sync;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use answer::Queue;
use rounds::{fail, until};
use sync::waiting;

fn main() {
    rounds::play(&[
        ("one puts and one takes", one_each),
        ("the queue is full", full),
        ("the queue is empty", empty),
        ("it is closed while two wait to take", closed_on_takers),
        ("it is closed while two wait to put", closed_on_putters),
        ("it is closed with two things in it", closed_with_things),
        ("two put and two take, with one place", two_each),
    ]);
}

fn one_each() {
    let queue = Queue::new(2);
    thread::scope(|scope| {
        scope.spawn(|| (0..10).for_each(|thing| drop(queue.put(thing))));
        for expected in 0..10 {
            let got = queue.take();
            if got != Some(expected) {
                fail(&format!("0 to 9 went in, in order; where {expected} was due came {got:?}"));
            }
        }
    });
}

fn full() {
    let (queue, is_in) = (Queue::new(2), AtomicBool::new(false));
    let _ = (queue.put(1), queue.put(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = queue.put(3);
            is_in.store(true, SeqCst);
        });
        until("who puts a third thing does not wait on a condition variable", || {
            waiting() == 1 || is_in.load(SeqCst)
        });
        if is_in.load(SeqCst) {
            fail("it has two places, and a third thing went in");
        }
        let took = [queue.take(), queue.take(), queue.take()];
        if took != [Some(1), Some(2), Some(3)] {
            fail(&format!("1, 2 and 3 went in, and out came {took:?}"));
        }
    });
}

fn empty() {
    let queue = Queue::new(2);
    let took = thread::scope(|scope| {
        let taker = scope.spawn(|| queue.take());
        until("who takes from an empty queue does not wait on a condition variable", || {
            waiting() == 1 || taker.is_finished()
        });
        let _ = queue.put(7);
        taker.join()
    });
    if !matches!(took, Ok(Some(7))) {
        fail("who took from an empty queue did not wait for the thing that came, and got nothing");
    }
}

fn closed_on_takers() {
    let queue = Queue::<u32>::new(2);
    thread::scope(|scope| {
        let takers = [(); 2].map(|()| scope.spawn(|| queue.take()));
        until("two take from an empty queue, and not both wait", || {
            waiting() == 2 || takers.iter().any(|taker| taker.is_finished())
        });
        queue.close();
        for taker in takers {
            if !matches!(taker.join(), Ok(None)) {
                fail("something came out of a queue into which nothing went");
            }
        }
    });
}

fn closed_on_putters() {
    let queue = Queue::new(1);
    let _ = queue.put(1);
    thread::scope(|scope| {
        let putters = [2, 3].map(|thing| {
            let queue = &queue;
            (thing, scope.spawn(move || queue.put(thing)))
        });
        until("two put into a full queue, and not both wait", || {
            waiting() == 2 || putters.iter().any(|(_, putter)| putter.is_finished())
        });
        queue.close();
        for (thing, putter) in putters {
            if !matches!(putter.join(), Ok(Err(back)) if back == thing) {
                fail("who was waiting to put when it was closed did not get the thing back");
            }
        }
    });
}

fn closed_with_things() {
    let queue = Queue::new(2);
    let _ = (queue.put(1), queue.put(2));
    queue.close();
    if queue.put(3) != Err(3) {
        fail("it was closed, and still something went in");
    }
    let took = [queue.take(), queue.take(), queue.take(), queue.take()];
    if took != [Some(1), Some(2), None, None] {
        fail(&format!("1 and 2 were in it when it was closed, and out came {took:?}"));
    }
}

fn two_each() {
    let (queue, took) = (Queue::new(1), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(thing) = queue.take() {
                    took.lock().unwrap().push(thing);
                }
            });
        }
        thread::scope(|scope| {
            for begin in [0, 100] {
                let queue = &queue;
                scope.spawn(move || (begin..begin + 8).for_each(|thing| drop(queue.put(thing))));
            }
        });
        queue.close();
    });
    let mut took = took.into_inner().unwrap();
    took.sort_unstable();
    if !took.iter().copied().eq((0..8).chain(100..108)) {
        fail(&format!("each of 16 things must come out once; out came {took:?}"));
    }
}
