//! The models: how sessions are run. One so far, the product's own.

pub mod thread;
