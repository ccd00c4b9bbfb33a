//! Stripes: what makes a claim hold against other servers on the same folder (`--shared-data`).
//!
//! # The story
//! The [`registry`](crate::registry) knows the claims of this process only. Between processes, and
//! between machines on one file system, the kernel keeps locks on files. There is a fixed set of
//! lock files, the *stripes*; a path's checksum says under which one it falls. A server that has
//! a claim under a stripe holds the stripe's lock, once for all its claims there, and gives it
//! back with the last of them. Paths that fall under one stripe therefore never block each other
//! within a server, but they do between servers: the price of a set that never grows.
//!
//! ```text
//!            server A                        server B
//!  a.txt ─┐                              ┌─ c.txt    next: locked by B, which polls
//!  b.txt ─┴─ Share, Share ─ held: locked by A        held: … locked by B, next: free
//! ```
//!
//! # Who is next
//! Claims of one server overlap: a busy one would never let go, and the other would wait for ever.
//! So each stripe has a second lock file, `next`. Who wants a stripe must lock `next` first, and
//! lets go of it on getting the stripe. A server that has the stripe and finds `next` taken lets
//! no new claim in, but for a first moment; those it has come to their end, and the stripe changes
//! hands. If the first server wants it back, it stands behind whoever is next by then.
//!
//! # Why nobody waits for ever
//! A claim is three things, taken in this order: the entry in the registry, `next`, the stripe. A
//! session that waits for the second or third holds the first, and behind it stands a line of
//! sessions that hold nothing. That is holding while waiting, and still there can be no circle:
//! it would have to pass through somebody who has a stripe and waits for a claim, and there is no
//! such session. It settles its batch before it waits (see `session/receiving.rs`). So whoever has
//! a stripe comes to an end alone; whoever has `next` waits for such a one only; whoever has an
//! entry, for one of these two. Each wait has a deadline on top, and the kernel takes the locks
//! back from a process that is gone.
//!
//! # The lock
//! A Mutex for each stripe. It is the one Mutex here that is held across system calls: flock(2)
//! without waiting, and a line written into the lock file. Only those want it who want the answer
//! to the very same call.
//!
//! # What may not happen
//! A stripe or a `next` that is locked for nobody: both go with the last [`Share`] or [`Turn`] that
//! needs them. A lock call that fails and counts as a success: an error is a no.

mod note;

use std::fs::{File, TryLockError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use self::note::Holder;
use self::note::Note;
use crate::clock;
use crate::store::StripeFiles;

/// How long a server lets new claims join a stripe it has, whoever is next. Without it a stripe
/// under load would change hands for every single claim.
const TENURE: Duration = Duration::from_millis(100);

/// How often a stripe of another server is asked for: at first, and at last. No condition variable
/// reaches over from another process, so there is nothing better than to ask again.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// All stripes, as this server sees them.
#[derive(Debug)]
pub struct Stripes {
    stripes: Vec<Stripe>,
    server: String,
}

impl Stripes {
    /// Over the open files of all stripes; `server` is what the others will call this one.
    pub fn new(files: Vec<StripeFiles>, server: String) -> Self {
        let stripes = files.into_iter().map(Stripe::of).collect();
        Self { stripes, server }
    }

    /// A share in the stripe of `path`, if this server has the stripe or can have it now; else a
    /// turn to wait for. `who` will be shown on other servers, `size` is how many bytes they
    /// announced. Never waits.
    pub fn claim(&self, path: &str, who: &str, size: u64) -> Result<Share<'_>, Turn<'_>> {
        let note = Note {
            server: self.server.clone(),
            who: who.to_owned(),
            path: path.to_owned(),
            size,
            since: clock::nanoseconds(),
        };
        // Another remainder on another server would be another stripe: all count to STRIPES.
        let place = crc32fast::hash(path.as_bytes()) as usize % self.stripes.len();
        let (stripe, note) = (&self.stripes[place], Arc::new(note));
        let mut uses = stripe.lock();
        if stripe.admits(&mut uses, &note) {
            return Ok(Share { stripe, note });
        }
        uses.waiting += 1;
        Err(Turn { stripe, note, pause: PAUSE_MIN })
    }
}

#[derive(Debug)]
struct Stripe {
    files: StripeFiles,
    uses: Mutex<Uses>,
    /// What sessions of this server wait for: the stripe has just come, or has just gone.
    changed: Condvar,
}

/// What this server has to do with a stripe.
#[derive(Debug)]
struct Uses {
    /// Its claims under it, oldest first. The stripe is locked as long as there are any.
    claims: Vec<Arc<Note>>,
    /// When it had the stripe last.
    taken: Instant,
    /// How many of its sessions wait for it.
    waiting: usize,
    /// Whether `next` is locked: only while some wait, and others have the stripe.
    is_next: bool,
}

impl Stripe {
    fn of(files: StripeFiles) -> Self {
        let uses = Uses { claims: Vec::new(), taken: Instant::now(), waiting: 0, is_next: false };
        Self { files, uses: Mutex::new(uses), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Uses> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a claim, if there may be one now.
    fn admits(&self, uses: &mut Uses, note: &Arc<Note>) -> bool {
        let ours = !uses.claims.is_empty();
        let admitted = if ours { self.may_join(uses) } else { self.take(uses) };
        if admitted {
            uses.claims.push(Arc::clone(note));
        }
        if admitted && !ours {
            note.write(&self.files.held);
            // Whoever waited with us may join now.
            self.changed.notify_all();
        }
        admitted
    }

    /// LESSON: a turnstile. Those who have the stripe pass it, too, before one of them may join;
    /// so who stands in it stops the stream, and their turn comes.
    fn may_join(&self, uses: &Uses) -> bool {
        if uses.taken.elapsed() < TENURE {
            return true;
        }
        let nobody_is_next = locks(&self.files.next);
        if nobody_is_next {
            unlock(&self.files.next);
        }
        nobody_is_next
    }

    fn take(&self, uses: &mut Uses) -> bool {
        uses.is_next = uses.is_next || locks(&self.files.next);
        if !uses.is_next || !locks(&self.files.held) {
            return false;
        }
        unlock(&self.files.next);
        uses.is_next = false;
        uses.taken = Instant::now();
        true
    }

    /// Takes a claim away; with the last one the stripe is given back.
    fn leave(&self, note: &Arc<Note>) {
        let mut uses = self.lock();
        let was_told = uses.claims.first().is_some_and(|first| Arc::ptr_eq(first, note));
        uses.claims.retain(|other| !Arc::ptr_eq(other, note));
        match uses.claims.first() {
            Some(oldest) if was_told => oldest.write(&self.files.held),
            Some(_) => {}
            None => {
                unlock(&self.files.held);
                self.changed.notify_all();
            }
        }
    }

    /// One who waited does so no more; with the last one the way is free for other servers.
    fn stop_waiting(&self) {
        let mut uses = self.lock();
        uses.waiting -= 1;
        if uses.waiting == 0 && uses.is_next {
            unlock(&self.files.next);
            uses.is_next = false;
        }
    }
}

/// A claim's share in its stripe; given back on drop.
#[derive(Debug)]
#[must_use = "a share that is not kept is given back at once"]
pub struct Share<'s> {
    stripe: &'s Stripe,
    note: Arc<Note>,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.stripe.leave(&self.note);
    }
}

/// Waiting for a share; ended by dropping it.
#[derive(Debug)]
#[must_use = "a turn that is not kept is given up at once"]
pub struct Turn<'s> {
    stripe: &'s Stripe,
    note: Arc<Note>,
    pause: Duration,
}

impl<'s> Turn<'s> {
    /// Asks for the share again and again, for at most `patience`; then gives the turn back.
    pub fn wait(mut self, patience: Duration) -> Result<Share<'s>, Self> {
        let deadline = Instant::now() + patience;
        let stripe = self.stripe;
        let mut uses = stripe.lock();
        while !stripe.admits(&mut uses, &self.note) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // The guard must go first: dropping `self` takes the same lock.
                drop(uses);
                return Err(self);
            }
            let pause = self.pause.min(left);
            self.pause = (self.pause * 2).min(PAUSE_MAX);
            let woken = stripe.changed.wait_timeout(uses, pause);
            uses = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(uses);
        Ok(Share { stripe, note: Arc::clone(&self.note) })
    }

    /// Who has the stripe, as far as they say.
    pub fn holder(&self) -> Holder {
        Holder::read(&self.stripe.files.held, &self.note)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.stripe.stop_waiting();
    }
}

/// Locks a file if nobody else has. An error is a no: nobody writes on a claim that may not hold.
fn locks(file: &File) -> bool {
    match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => {
            log::error!("cannot lock a file of locks/claims: {error}");
            false
        }
    }
}

fn unlock(file: &File) {
    if let Err(error) = file.unlock() {
        log::error!("cannot unlock a file of locks/claims: {error}");
    }
}

#[cfg(test)]
mod tests;
