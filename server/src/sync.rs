//! Where this crate takes its Mutex and Condvar from.
//!
//! One line, so that the model checker can compile `registry.rs` and `party.rs` against its own twins
//! of the same names and try every interesting schedule (`tests/registry_model.rs`).

pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic};
