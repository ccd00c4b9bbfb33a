//! What the server says by itself when its time has come: that it stops, as was planned, and how a
//! vote stands that many take part in.
//!
//! A stop that was asked for with a delay is said once more on the way, and taken back if somebody
//! thinks better of it. A thread of its own waits here, on one condition variable for all at once:
//! that a time has come, and that the plan has changed. So a cancelled stop is forgotten at once, and
//! nobody sleeps through a new one.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long before the stop everybody is told again; the last first.
const WARNINGS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(60)];

/// What is to come, if there is anything.
#[derive(Debug, Default)]
pub struct Countdown {
    plan: Mutex<Plan>,
    /// Signalled whenever the plan changes.
    changed: Condvar,
}

/// What it is time to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// How long it is until the server stops. None at all means to stop.
    Stop(Duration),
    /// How the vote stands.
    Standing,
}

#[derive(Debug, Default)]
struct Plan {
    pending: Option<Pending>,
    /// When to say how the vote stands.
    standing: Option<Instant>,
    /// Nothing more is to come: the server ends.
    over: bool,
}

/// The stop to come.
#[derive(Debug)]
struct Pending {
    at: Instant,
    /// What is still to be said; the last first.
    warnings: Vec<Duration>,
}

impl Pending {
    /// How long before the stop there is something to say next.
    fn before(&self) -> Duration {
        self.warnings.last().copied().unwrap_or(Duration::ZERO)
    }
}

impl Plan {
    /// How long it is until there is something to say; `None` if there is nothing.
    fn wait(&self, now: Instant) -> Option<Duration> {
        let until = |at: Instant| at.saturating_duration_since(now);
        let stop = self.pending.as_ref().map(|stop| until(stop.at).saturating_sub(stop.before()));
        stop.into_iter().chain(self.standing.map(until)).min()
    }

    /// What it is time to say; `None` if it is not time yet.
    fn take(&mut self, now: Instant) -> Option<Due> {
        self.wait(now).filter(Duration::is_zero)?;
        if self.standing.take_if(|at| *at <= now).is_some() {
            return Some(Due::Standing);
        }
        let stop = self.pending.as_mut()?;
        let before = stop.before();
        if stop.warnings.pop().is_none() {
            self.pending = None;
        }
        Some(Due::Stop(before))
    }
}

impl Countdown {
    /// Plans the stop for when `left` has passed, in the place of any earlier plan.
    pub fn begin(&self, left: Duration) {
        let warnings = WARNINGS.into_iter().filter(|warning| *warning < left).collect();
        self.lock().pending = Some(Pending { at: Instant::now() + left, warnings });
        self.changed.notify_one();
    }

    /// Forgets the stop. Says whether there was one.
    pub fn cancel(&self) -> bool {
        let pending = self.lock().pending.take();
        self.changed.notify_one();
        pending.is_some()
    }

    /// Has it said then how the vote stands.
    pub fn tell_standing_at(&self, at: Instant) {
        self.lock().standing = Some(at);
        self.changed.notify_one();
    }

    /// Ends [`next`](Self::next), now and for ever.
    pub fn close(&self) {
        self.lock().over = true;
        self.changed.notify_one();
    }

    /// Waits until there is something to say. `None` when the countdown was closed.
    pub fn next(&self) -> Option<Due> {
        let mut plan = self.lock();
        while !plan.over {
            // LESSON: after every wake-up the plan is read anew. Another may stand there by now, or
            // none.
            let now = Instant::now();
            if let Some(due) = plan.take(now) {
                return Some(due);
            }
            plan = match plan.wait(now) {
                Some(wait) => {
                    self.changed.wait_timeout(plan, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(plan).unwrap_or_else(PoisonError::into_inner),
            };
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_is_left_is_said_a_minute_and_ten_seconds_before_and_at_the_end() {
        let countdown = Countdown::default();
        for (left, said) in [(Duration::from_millis(10_020), vec![10]), (Duration::ZERO, vec![0])] {
            countdown.begin(left);
            for seconds in said {
                assert_eq!(countdown.next(), Some(Due::Stop(Duration::from_secs(seconds))));
            }
        }
        countdown.begin(Duration::from_millis(60_020));
        assert_eq!(countdown.next(), Some(Due::Stop(Duration::from_secs(60))));
        // A new plan has its own warnings.
        countdown.begin(Duration::from_millis(1));
        assert_eq!(countdown.next(), Some(Due::Stop(Duration::ZERO)));
        assert!(!countdown.cancel());
    }

    #[test]
    fn how_a_vote_stands_is_said_in_its_time_also_while_a_stop_is_planned() {
        let countdown = Countdown::default();
        countdown.begin(Duration::from_millis(30));
        countdown.tell_standing_at(Instant::now() + Duration::from_millis(10));
        assert_eq!(countdown.next(), Some(Due::Standing));
        assert_eq!(countdown.next(), Some(Due::Stop(Duration::ZERO)));
    }

    #[test]
    fn a_plan_that_was_cancelled_is_not_carried_out_and_who_waits_is_let_go() {
        let countdown = Countdown::default();
        countdown.begin(Duration::from_secs(3600));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| countdown.next());
            assert!(countdown.cancel());
            countdown.close();
            assert_eq!(waiting.join().unwrap(), None);
        });
    }
}
