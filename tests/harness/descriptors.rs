//! How many files and sockets this process may have open.

use std::io;

use rustix::process::{Resource, getrlimit, setrlimit};

/// Takes as many as the system allows, and fails if that is fewer than `count`.
pub(crate) fn need(count: u32) -> io::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
    match getrlimit(Resource::Nofile).current {
        Some(allowed) if allowed < u64::from(count) => Err(io::Error::other(format!(
            "this needs {count} open files, and the system allows {allowed}; ask for less, or \
             raise the limit (`ulimit -Hn`)"
        ))),
        _ => Ok(()),
    }
}
