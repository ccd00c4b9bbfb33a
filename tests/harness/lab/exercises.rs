//! The exercises of the course, and what is a right answer to each.
//!
//! An answer is *tried* wherever it can be: a request is read by the protocol's own parser, a schedule
//! is played (`schedules`), code is compiled and run with sleep points (`workbench`). So whatever
//! does what was asked for is right, and not only what its author had thought of. The page for people
//! is `docs/exercises.md`; exercise N of the first eight belongs to lesson N.
//!
//! A wrong answer gets a hint, and not the right one.

mod schedules;
mod workbench;

use std::fmt;
use std::io;

use common::frame;
use common::protocol::{Put, Request};
use server::writer::CHUNKS_PER_UPLOAD;

use self::workbench::Workpiece;
use crate::prose::{broken, filled};

/// An exercise.
#[derive(Debug)]
pub struct Exercise {
    /// What it is called by.
    pub number: u8,
    /// What it is about, in a few words: its heading on the page.
    pub title: &'static str,
    /// What is asked.
    pub question: &'static str,
    judge: Judge,
}

/// Who says whether an answer is right.
#[derive(Debug)]
enum Judge {
    /// Somebody who reads it.
    Reader(fn(&str) -> Verdict),
    /// A program that is compiled together with it: the answer is a file.
    Bench(&'static Workpiece),
}

/// What is said of an answer.
#[derive(Debug)]
pub enum Verdict {
    /// It does what was asked for; and what there is to see in it.
    Right(String),
    /// Not so; and what might help.
    Wrong(String),
}

/// All of them, in the order of their numbers.
pub static EXERCISES: [Exercise; 13] = [
    Exercise {
        number: 1,
        title: "A file that is cut",
        question: "\
A receiver reads until it has seen `##`. Which file of five bytes does it cut?
The answer is what is in that file.",
        judge: Judge::Reader(cut_file),
    },
    Exercise {
        number: 2,
        title: "Connected and not served",
        question: "\
Four clients connect to `ferryd --model iterative`, and none of them leaves. How many connections
does `ss -ltn` show in the listening socket's Recv-Q? The answer is a number.",
        judge: Judge::Reader(|answer| {
            number(answer, 3.0, "all four `connect`s succeeded. Who has been accepted, and who keeps the rest?")
        }),
    },
    Exercise {
        number: 3,
        title: "What outlives shared memory",
        question: "\
Under `--model process` two clients have a process each. One of these still works between them:
chat, vote, watch, exists. Which? The answer is one of the four words.",
        judge: Judge::Reader(survivor),
    },
    Exercise {
        number: 4,
        title: "A vote that counts right",
        question: "\
docs/exercises/tally.rs counts votes, and counts wrong as soon as two threads vote. Copy it, mend it.
The answer is your file.",
        judge: Judge::Bench(&workbench::TALLY),
    },
    Exercise {
        number: 5,
        title: "A bounded queue",
        question: "\
docs/exercises/queue.rs is a bounded queue without its three functions. Copy it, fill them.
The answer is your file.",
        judge: Judge::Bench(&workbench::QUEUE),
    },
    Exercise {
        number: 6,
        title: "Where the bytes wait",
        question: "\
Twenty clients upload a film each (not in class mode), and the disk is slow. How many MiB of buffers do
these uploads have at most, all together? The answer is a number; what it follows from stands in
server/src/writer.rs.",
        judge: Judge::Reader(|answer| {
            // A buffer is half a MiB, but in class mode.
            let mib = 20.0 * f64::from(u8::try_from(CHUNKS_PER_UPLOAD).unwrap_or(u8::MAX)) / 2.0;
            number(answer, mib, "an upload owns so many buffers of so many bytes and no more, whatever the queue has places for")
        }),
    },
    Exercise {
        number: 7,
        title: "A step back",
        question: "\
A program sends a line of 12 bytes with `sendall` on a non-blocking socket. The kernel has room for 7;
then it says BlockingIOError. The program steps back to the line's beginning, and when there is room it
sends the line again. How many bytes has the receiver got in the end? The answer is a number.",
        judge: Judge::Reader(|answer| {
            number(answer, 19.0, "what became of the 7 bytes that the kernel had room for?")
        }),
    },
    Exercise {
        number: 8,
        title: "What p99 does not say",
        question: "\
A server answered 600 requests. 597 took 0.5 ms; three waited for a slow client, 2900 ms each. What is
the 99th percentile, in ms? The answer is a number.",
        judge: Judge::Reader(|answer| {
            number(answer, 0.5, "write all 600 down, the shortest first. Which is the 594th?")
        }),
    },
    Exercise {
        number: 9,
        title: "A request, by hand",
        question: "\
Write the line with which a client announces the file a.txt of five bytes. The answer is the line, as
docs/protocol.md has it; in single quotes, so that the shell leaves it as it is.",
        judge: Judge::Reader(request),
    },
    Exercise {
        number: 10,
        title: "You are the scheduler: look, create, write",
        question: "\
A and B put one name. Each looks whether it is free, then creates the file (which empties it), then
writes. You say who goes next, six times. A goes first; both are told OK; and the file that stays is
A's. The answer is a word of six letters, three A and three B.",
        judge: Judge::Reader(schedules::look_create_write),
    },
    Exercise {
        number: 11,
        title: "You are the scheduler: if for while",
        question: "\
Consumers C and D take from a shelf, each once, with `if empty { wait }`. Producer P puts one item
there and wakes one who waits. You say who gets the lock next, and each goes on until it waits or is
done. Have somebody take from an empty shelf. The answer is a word of the letters C, D and P.",
        judge: Judge::Reader(schedules::woken_for_nothing),
    },
    Exercise {
        number: 12,
        title: "One order for four locks",
        question: "\
In a server a put takes files, then roster; a kick takes roster, then room; a word said takes room,
then log; a listing takes files, then log. In which order may all of them be taken everywhere?
The answer is four names with commas between.",
        judge: Judge::Reader(schedules::lock_order),
    },
    Exercise {
        number: 13,
        title: "What a connection costs",
        question: "\
Many clients connect, ask for a small file and leave. Order the four models by the processor time that
the server spends on each connection, the cheapest first: iterative, process, select, thread.
The answer is four words with commas between.",
        judge: Judge::Reader(dearest_last),
    },
];

impl Exercise {
    /// The exercise of this number.
    pub fn of(number: u8) -> Option<&'static Self> {
        EXERCISES.iter().find(|exercise| exercise.number == number)
    }

    /// Whether an answer is right. Code is run so many times.
    pub fn check(&self, answer: &str, runs: u32) -> io::Result<Verdict> {
        match self.judge {
            Judge::Reader(read) => Ok(read(answer.trim())),
            Judge::Bench(workpiece) => workpiece.check(answer.as_ref(), runs),
        }
    }
}

impl fmt::Display for Exercise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}\n\n{}", self.number, self.title, filled(self.question))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right(why) => f.write_str(&broken(&format!("right: {why}"))),
            Self::Wrong(hint) => f.write_str(&broken(&format!("not yet: {hint}"))),
        }
    }
}

/// An answer that is a number; a unit behind it does no harm.
fn number(answer: &str, right: f64, hint: &str) -> Verdict {
    let end = answer.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(answer.len());
    match answer[..end].parse::<f64>() {
        Ok(number) if (number - right).abs() < 1e-9 => Verdict::Right(format!("{number}")),
        Ok(_) => Verdict::Wrong(hint.into()),
        Err(_) => Verdict::Wrong("a number is asked for, as 12 or 0.25".into()),
    }
}

/// The names in an answer, one after the other.
fn names(answer: &str) -> Vec<String> {
    let parts = answer.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect()
}

/// What the course's receiver keeps of a file.
fn cut_file(file: &str) -> Verdict {
    match (file.len(), file.find("##")) {
        (5, Some(kept)) => Verdict::Right(format!("it keeps {kept} of the 5 bytes")),
        (5, None) => Verdict::Wrong("it keeps all five. What does it look for?".into()),
        (bytes, _) => Verdict::Wrong(format!("that file has {bytes} bytes, and not five")),
    }
}

fn survivor(answer: &str) -> Verdict {
    match answer.to_lowercase().as_str() {
        "exists" => Verdict::Right(
            "who has a name is settled in the folder, and the kernel is the same for both".into(),
        ),
        "chat" | "vote" | "watch" => {
            Verdict::Wrong("in whose memory would that stand? The other process has another".into())
        }
        _ => Verdict::Wrong("one of the four words is asked for".into()),
    }
}

fn request(line: &str) -> Verdict {
    match frame::parse::<Request>(line.as_bytes()) {
        Ok(Request::Put(Put { path, size: 5, .. })) if path == "a.txt" => {
            Verdict::Right("five bytes follow, and then a line with their checksum".into())
        }
        Ok(Request::Put(Put { path, size, .. })) => {
            Verdict::Wrong(format!("that announces {size} bytes for `{}`", path.escape_debug()))
        }
        Ok(_) => Verdict::Wrong("that is a request, and another one".into()),
        Err(error) => Verdict::Wrong(format!("the server would not read that: {error}")),
    }
}

fn dearest_last(answer: &str) -> Verdict {
    let names = names(answer);
    let mut sorted = names.clone();
    sorted.sort();
    if sorted != ["iterative", "process", "select", "thread"] {
        return Verdict::Wrong("each of the four models is asked for, once".into());
    }
    if names.last().is_some_and(|last| last == "process") {
        Verdict::Right(
            "a program is loaded for each client, which costs many times what all else does. How the \
             other three come is for you to measure, and to say how sure you are"
                .into(),
        )
    } else {
        Verdict::Wrong("for one of them the kernel loads a program for each client".into())
    }
}
