//! A longer and longer line for one name: does each get their turn, in the order they came, and does
//! a turn cost more when many wait behind?
//!
//! Somebody holds the name; one after the other joins the line, each when the one before is told
//! `WAIT`, so their order is known. The holder leaves. Whoever now has the name takes a number, and
//! leaves as well, so that it goes to the next. Only the server says who that is: the numbers are
//! the order in which it did.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::protocol::{Offset, Put, Request, Response};

use super::Survey;
use super::growth::{Growth, Point, Series};
use super::rounds::medians;
use crate::stress::line::Line;

/// A waiter's stack: it reads short lines, and there are a thousand.
const STACK_BYTES: usize = 256 * 1024;

/// How many have their turn each time at least: a short line is formed again and again.
const SERVED_MIN: u32 = 30;

/// How long one may wait, in seconds: longer than the longest line takes.
const WAIT: &str = "600";

pub(super) fn measure(survey: Survey<'_>) -> io::Result<Growth> {
    let Survey { ground, scale, interrupt } = survey;
    let most = scale.waiters.iter().max().copied().unwrap_or(1);
    let site = ground.serve(most + 1, &["--claim-wait", WAIT])?;
    let mut wrong = Vec::new();
    let rows = medians(&scale.waiters, scale.repeats, interrupt, |waiters| {
        let (lines, mut time) = ((SERVED_MIN / waiters).max(1), Duration::ZERO);
        for _ in 0..lines {
            let (order, took) = serve(line_up(site.address(), waiters)?)?;
            wrong.extend(overtaken(&order));
            time += took;
        }
        Ok([time.as_secs_f64() * 1e6 / f64::from(lines * waiters)])
    })?;
    let kept = if wrong.is_empty() { "each time" } else { "NOT each time" };
    Ok(Growth {
        name: "waiters",
        title: "A longer line for one name that its holder gives up, and so does each in turn",
        grows: "waiters",
        points: scale.waiters.iter().copied().map(Point::count).collect(),
        series: vec![Series {
            name: "",
            unit: "µs per waiter",
            values: rows.into_iter().map(|[cost]| cost).collect(),
            from: 1,
        }],
        notes: vec![format!("first come, first served: {kept}")],
        wrong,
    })
}

/// The holder, and those behind in their order.
struct InLine {
    holder: Line,
    behind: Vec<Line>,
}

fn line_up(server: SocketAddr, waiters: u32) -> io::Result<InLine> {
    let mut holder = come(server)?;
    // The last of an earlier line may have to be noticed to have left.
    has_its_turn(&mut holder)?;
    let mut behind = Vec::new();
    for _ in 0..waiters {
        let mut line = come(server)?;
        match line.response::<Offset>()? {
            Response::Wait(_) => behind.push(line),
            other => return Err(unexpected(&other)),
        }
    }
    Ok(InLine { holder, behind })
}

/// Somebody who asks for the name.
fn come(server: SocketAddr) -> io::Result<Line> {
    let mut line = Line::connect(server)?;
    line.greeted()?;
    let path = "/library/wanted".to_owned();
    let (mtime, wait) = (None, None);
    line.ask(&[Request::Put(Put {
        path,
        size: 1,
        mtime,
        overwrite: false,
        resume: false,
        eager: false,
        wait,
    })])?;
    Ok(line)
}

/// Waits until this one has the name.
fn has_its_turn(line: &mut Line) -> io::Result<()> {
    loop {
        match line.response::<Offset>()? {
            Response::Wait(_) => {}
            Response::Ok(_) => return Ok(()),
            other => return Err(unexpected(&other)),
        }
    }
}

fn unexpected(answer: &Response<Offset>) -> io::Error {
    io::Error::other(format!("{} is no answer to who stands in line", answer.outcome()))
}

/// Lets the holder go. In what order the others had their turn, each by their place in the line, and
/// how long it took until the last one had it.
fn serve(InLine { holder, behind }: InLine) -> io::Result<(Vec<usize>, Duration)> {
    let numbers = AtomicUsize::new(0);
    let (start, turns) = thread::scope(|scope| {
        let mut waiting = Vec::new();
        for line in behind {
            let numbers = &numbers;
            let builder = thread::Builder::new().stack_size(STACK_BYTES);
            waiting.push(builder.spawn_scoped(scope, move || take_a_turn(line, numbers))?);
        }
        let start = Instant::now();
        drop(holder);
        let ended = waiting.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a waiter panicked")))
        });
        Ok::<_, io::Error>((start, ended.collect::<io::Result<Vec<_>>>()?))
    })?;
    let last = turns.iter().map(|(_, at)| *at).max().unwrap_or(start);
    let mut order: Vec<usize> = (0..turns.len()).collect();
    order.sort_by_key(|place| turns[*place].0);
    Ok((order, last - start))
}

/// The first who had somebody's turn, if it did not go from the head of the line to its end.
fn overtaken(order: &[usize]) -> Option<String> {
    let (turn, place) = order.iter().enumerate().find(|(turn, place)| turn != *place)?;
    let (turn, place, all) = (turn + 1, place + 1, order.len());
    Some(format!("turn {turn} went to the one at place {place}, of {all} in line"))
}

/// Waits for the name, takes the next number, and gives the name up by leaving: which number, and
/// when. While it has the name nobody else has, so the numbers are in the order of the turns.
fn take_a_turn(mut line: Line, numbers: &AtomicUsize) -> io::Result<(usize, Instant)> {
    has_its_turn(&mut line)?;
    Ok((numbers.fetch_add(1, Ordering::SeqCst), Instant::now()))
}
