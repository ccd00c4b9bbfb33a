//! What went wrong: how often, and in words the first few times.

use std::fmt;

/// How many are kept in words. One cause often has a thousand effects, all alike.
const KEPT: usize = 20;

/// Counted and described.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// How often.
    pub count: u64,
    /// The first few.
    pub first: Vec<String>,
}

impl Notes {
    /// Adds one.
    pub fn add(&mut self, note: impl fmt::Display) {
        self.count += 1;
        if self.first.len() < KEPT {
            self.first.push(note.to_string());
        }
    }
}
