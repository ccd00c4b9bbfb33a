//! Programs of a few steps, played in the order that an answer says: the student is the scheduler.

use std::collections::VecDeque;

use super::{Verdict, names};

/// The locks, and who takes two of them in which order.
const PLACES: [(&str, &str, &str); 4] = [
    ("a put", "files", "roster"),
    ("a kick", "roster", "room"),
    ("a word said", "room", "log"),
    ("a listing", "files", "log"),
];

/// Someone who puts a file.
#[derive(Default)]
struct Writer {
    steps: usize,
    was_free: bool,
}

/// Two look, create and write; both are to be told OK, and the first one's file is to stay.
pub(super) fn look_create_write(schedule: &str) -> Verdict {
    let schedule = schedule.to_uppercase();
    let steps_of = |who| schedule.chars().filter(|letter| *letter == who).count();
    if schedule.len() != 6 || steps_of('A') != 3 || steps_of('B') != 3 {
        return Verdict::Wrong("six letters are asked for: three A and three B".into());
    }
    if !schedule.starts_with('A') {
        return Verdict::Wrong("A is to go first".into());
    }
    let (mut a, mut b) = (Writer::default(), Writer::default());
    // Whose bytes are in the file; a blank while there are none. No file while nobody made one.
    let mut file = None;
    for who in schedule.chars() {
        let writer = if who == 'A' { &mut a } else { &mut b };
        writer.steps += 1;
        match writer.steps {
            1 => writer.was_free = file.is_none(),
            2 if writer.was_free => file = Some(' '),
            3 if writer.was_free => file = Some(who),
            _ => {}
        }
    }
    match (a.was_free && b.was_free, file) {
        (false, _) => Verdict::Wrong("one of them is told EXISTS: it looked too late".into()),
        (true, Some('A')) => Verdict::Right("both were told OK, and B's file is gone".into()),
        (true, _) => Verdict::Wrong("both are told OK, and the file that stays is B's".into()),
    }
}

/// Where a consumer is.
#[derive(Clone, Copy, PartialEq)]
enum Consumer {
    New,
    Waits,
    Woken,
    Done,
}

/// What a schedule brings about.
enum Outcome {
    /// This one took from an empty shelf.
    TookNothing(char),
    Nothing,
    /// It cannot be played.
    Impossible(String),
}

/// Somebody is to take from an empty shelf.
pub(super) fn woken_for_nothing(schedule: &str) -> Verdict {
    match shelf(&schedule.to_uppercase()) {
        Outcome::TookNothing(who) => Verdict::Right(format!(
            "{who} was woken for an item, and took nothing. With `while` {who} looks again, and waits"
        )),
        Outcome::Nothing => Verdict::Wrong("nobody takes from an empty shelf".into()),
        Outcome::Impossible(why) => Verdict::Wrong(why),
    }
}

/// Two consumers that wait with `if`, and a producer with one item.
fn shelf(schedule: &str) -> Outcome {
    let (mut items, mut is_put, mut line) = (0, false, VecDeque::new());
    let mut consumers = [('C', Consumer::New), ('D', Consumer::New)];
    for who in schedule.chars() {
        if who == 'P' {
            if is_put {
                return Outcome::Impossible("P has only one item, and has put it".into());
            }
            (items, is_put) = (items + 1, true);
            if let Some(woken) = line.pop_front() {
                set(&mut consumers, woken, Consumer::Woken);
            }
            continue;
        }
        let Some((_, is)) = consumers.iter().copied().find(|(name, _)| *name == who) else {
            return Outcome::Impossible("the letters are C, D and P".into());
        };
        match is {
            Consumer::New if items == 0 => {
                line.push_back(who);
                set(&mut consumers, who, Consumer::Waits);
            }
            Consumer::Woken if items == 0 => return Outcome::TookNothing(who),
            Consumer::New | Consumer::Woken => {
                items -= 1;
                set(&mut consumers, who, Consumer::Done);
            }
            Consumer::Waits => {
                return Outcome::Impossible(format!("{who} waits, and nobody has woken it"));
            }
            Consumer::Done => return Outcome::Impossible(format!("{who} has taken, and is done")),
        }
    }
    Outcome::Nothing
}

fn set(consumers: &mut [(char, Consumer); 2], who: char, is: Consumer) {
    for (name, state) in consumers {
        if *name == who {
            *state = is;
        }
    }
}

/// An order in which nobody in [`PLACES`] takes a lock that comes before one it has.
pub(super) fn lock_order(answer: &str) -> Verdict {
    let order = names(answer);
    let rank = |lock: &str| order.iter().position(|name| name == lock);
    let locks = ["files", "roster", "room", "log"];
    if order.len() != locks.len() || locks.iter().any(|lock| rank(lock).is_none()) {
        return Verdict::Wrong(
            "four names are asked for, each once: files, room, roster, log".into(),
        );
    }
    match PLACES.iter().find(|(_, first, second)| rank(first) > rank(second)) {
        Some((place, first, second)) => Verdict::Wrong(format!(
            "{place} has {first} and asks for {second}, which comes before it in your order"
        )),
        None => Verdict::Right("whoever has one asks only for what comes later: no circle".into()),
    }
}
