//! Exercise 4: a vote. Many threads note what their clients have chosen; somebody looks at the
//! result. The last choice of each voter counts.
//!
//! Each function takes a lock before it touches anything, and alone each of them works. Together they
//! do not. Mend it, and try it with:
//!
//!     cargo run --release --bin lab -- check 4 my_tally.rs
//!
//! Keep `crate::sync`: its `Mutex` is std's, with sleep points, and `lock` gives the guard itself, without
//! a `Result`. The functions' names and types must stay as they are, too.

use std::collections::HashMap;

use crate::sync::Mutex;

pub struct Tally {
    choices: Mutex<HashMap<u32, bool>>,
    yes: Mutex<u32>,
    no: Mutex<u32>,
}

impl Tally {
    pub fn new() -> Self {
        Self { choices: Mutex::new(HashMap::new()), yes: Mutex::new(0), no: Mutex::new(0) }
    }

    /// Notes what somebody chose; whether it was their first vote.
    pub fn vote(&self, voter: u32, yes: bool) -> bool {
        let before = self.choices.lock().get(&voter).copied();
        match before {
            Some(true) => *self.yes.lock() -= 1,
            Some(false) => *self.no.lock() -= 1,
            None => {}
        }
        if yes {
            *self.yes.lock() += 1;
        } else {
            *self.no.lock() += 1;
        }
        self.choices.lock().insert(voter, yes);
        before.is_none()
    }

    /// How many chose yes, and how many no.
    pub fn result(&self) -> (u32, u32) {
        (*self.yes.lock(), *self.no.lock())
    }
}
