//! The wish that the server stop: asked for by a signal or a test, looked at by everybody who
//! would otherwise go on.

use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use socket2::SockRef;

/// Asks the server to stop; clones ask for the same stop.
#[derive(Debug, Clone)]
pub struct Stop(Arc<(AtomicBool, TcpListener)>);

impl Stop {
    /// A stop that nobody has asked for, of the accept loop on this socket.
    pub fn of(listener: TcpListener) -> Self {
        Self(Arc::new((AtomicBool::new(false), listener)))
    }

    /// Asks, and wakes the accept loop. Says whether this was the first time.
    pub fn ask(&self) -> bool {
        let (asked, listener) = &*self.0;
        let first = !asked.swap(true, Ordering::SeqCst);
        // On Linux this makes a blocked accept return with EINVAL.
        let _ = SockRef::from(listener).shutdown(Shutdown::Both);
        first
    }

    /// Whether anybody has asked.
    pub fn is_asked(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }
}
