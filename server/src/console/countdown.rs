//! A stop that was asked for with a delay: said once more on the way, and taken back if somebody
//! thinks better of it.
//!
//! A thread of its own waits here, on one condition variable for two things at once: that the time
//! has come, and that the plan has changed. So a cancelled stop is forgotten at once, and nobody
//! sleeps through a new one.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long before the stop everybody is told again; the last first.
const WARNINGS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(60)];

/// The stop to come, if there is one.
#[derive(Debug, Default)]
pub struct Countdown {
    plan: Mutex<Plan>,
    /// Signalled whenever the plan changes.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Plan {
    pending: Option<Pending>,
    /// Nothing more is to come: the server ends.
    over: bool,
}

#[derive(Debug)]
struct Pending {
    at: Instant,
    /// What is still to be said; the last first.
    warnings: Vec<Duration>,
}

impl Countdown {
    /// Plans the stop for when `left` has passed, in the place of any earlier plan.
    pub fn begin(&self, left: Duration) {
        let warnings = WARNINGS.into_iter().filter(|warning| *warning < left).collect();
        self.lock().pending = Some(Pending { at: Instant::now() + left, warnings });
        self.changed.notify_one();
    }

    /// Forgets the plan. Says whether there was one.
    pub fn cancel(&self) -> bool {
        let pending = self.lock().pending.take();
        self.changed.notify_one();
        pending.is_some()
    }

    /// Ends [`next`](Self::next), now and for ever.
    pub fn close(&self) {
        self.lock().over = true;
        self.changed.notify_one();
    }

    /// Waits until there is something to say: how much time is left. The last of each plan is
    /// none at all, which means to stop. `None` when the countdown was closed.
    pub fn next(&self) -> Option<Duration> {
        let mut plan = self.lock();
        loop {
            if plan.over {
                return None;
            }
            // LESSON: after every wake-up the plan is read anew. Another may stand there by now, or
            // none.
            let Some(pending) = &mut plan.pending else {
                plan = self.changed.wait(plan).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let before = pending.warnings.last().copied().unwrap_or(Duration::ZERO);
            let wait = pending.at.saturating_duration_since(Instant::now()).saturating_sub(before);
            if wait.is_zero() {
                if pending.warnings.pop().is_none() {
                    plan.pending = None;
                }
                return Some(before);
            }
            plan = self.changed.wait_timeout(plan, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
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
                assert_eq!(countdown.next(), Some(Duration::from_secs(seconds)));
            }
        }
        countdown.begin(Duration::from_millis(60_020));
        assert_eq!(countdown.next(), Some(Duration::from_secs(60)));
        // A new plan has its own warnings.
        countdown.begin(Duration::from_millis(1));
        assert_eq!(countdown.next(), Some(Duration::ZERO));
        assert!(!countdown.cancel());
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
