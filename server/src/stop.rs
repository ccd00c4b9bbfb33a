//! The wish that the server stop: asked for by a signal or a test, looked at by everybody who
//! would otherwise go on.

use std::net::{Shutdown, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use socket2::SockRef;

use crate::brakes::brakes;

/// Asks the server to stop; clones ask for the same stop.
#[derive(Debug, Clone)]
pub struct Stop(Arc<Wish>);

#[derive(Debug)]
struct Wish {
    asked: AtomicBool,
    /// Guards nothing but the moment between a look at the wish and the sleep.
    lock: Mutex<()>,
    /// Signalled when it is asked for.
    was_asked: Condvar,
    /// Whose accept loop is to be woken.
    listener: Option<TcpListener>,
}

impl Stop {
    /// A stop that nobody has asked for, of the accept loop on this socket.
    pub fn of(listener: TcpListener) -> Self {
        Self::waking(Some(listener))
    }

    /// The same, of a process that accepts nobody.
    pub fn of_one_session() -> Self {
        Self::waking(None)
    }

    fn waking(listener: Option<TcpListener>) -> Self {
        let (asked, lock, was_asked) = (AtomicBool::new(false), Mutex::default(), Condvar::new());
        Self(Arc::new(Wish { asked, lock, was_asked, listener }))
    }

    /// Asks, wakes the accept loop, and lets go of whoever is held up on purpose. Says whether this
    /// was the first time.
    pub fn ask(&self) -> bool {
        let wish = &*self.0;
        let held = wish.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let first = !wish.asked.swap(true, Ordering::SeqCst);
        drop(held);
        wish.was_asked.notify_all();
        brakes().release();
        if let Some(listener) = &wish.listener {
            // On Linux this makes a blocked accept return with EINVAL.
            let _ = SockRef::from(listener).shutdown(Shutdown::Both);
        }
        first
    }

    /// Whether anybody has asked.
    pub fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// Waits until somebody has. For a thread that has nothing else to do.
    pub fn wait(&self) {
        let mut held = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.is_asked() {
            held = self.0.was_asked.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
