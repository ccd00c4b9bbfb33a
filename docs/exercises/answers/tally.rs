//! An answer to exercise 4: one lock, around all that must change together.
//!
//! What must always be true is that yes and no together are the voters. That sentence speaks of all
//! the data at once, so one lock guards all of it, for as long as the sentence is not true. Counting
//! anew, as `result` does, makes two of the three numbers needless: what is not kept cannot be wrong.

use std::collections::HashMap;

use crate::sync::Mutex;

pub struct Tally {
    choices: Mutex<HashMap<u32, bool>>,
}

impl Tally {
    pub fn new() -> Self {
        Self { choices: Mutex::new(HashMap::new()) }
    }

    /// Notes what somebody chose; whether it was their first vote.
    pub fn vote(&self, voter: u32, yes: bool) -> bool {
        self.choices.lock().insert(voter, yes).is_none()
    }

    /// How many chose yes, and how many no.
    pub fn result(&self) -> (u32, u32) {
        let choices = self.choices.lock();
        let yes = choices.values().filter(|yes| **yes).count() as u32;
        (yes, choices.len() as u32 - yes)
    }
}
