//! Decides whether a failed request is worth another try, and when.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::RequestError;

/// How often a request is sent at most.
const TRIES: u32 = 4;
/// How long the first retry waits, before jitter.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// How long a server can make a retry wait.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// A try that took longer than this is not repeated: the server has had its chance.
const SLOW: Duration = Duration::from_secs(5);

/// A failed try.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: RequestError,
    pub(super) again: Again,
}

/// Whether another try may go better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    Soon,
    After(Duration),
}

impl Failed {
    /// Makes a failure that another try would not change.
    pub(super) fn for_good(error: RequestError) -> Self {
        Self { error, again: Again::Never }
    }

    /// Returns how long to wait before the next try, which it books in the budget; none if there shall be no other.
    pub(super) fn wait(&self, tries: u32, took: Duration, budget: &Budget) -> Option<Duration> {
        if tries >= TRIES || took > SLOW {
            return None;
        }
        let wait = match self.again {
            Again::Never => return None,
            Again::Soon => jitter(FIRST_WAIT * 2_u32.pow(tries - 1)),
            Again::After(asked) => asked.min(LONGEST_WAIT) + jitter(FIRST_WAIT),
        };
        budget.book(wait).then_some(wait)
    }
}

/// Returns between a half and the whole of a duration, so that requests that failed together do not return together.
fn jitter(whole: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 1024;
    whole / 2 + whole / 2 * u32::try_from(random).unwrap_or_default() / 1024
}

/// The time that a run may spend waiting for retries. Waits at the same time count once.
#[derive(Debug)]
pub(super) struct Budget(Mutex<Left>);

#[derive(Debug)]
struct Left {
    time: Duration,
    waiting_until: Instant,
}

impl Budget {
    pub(super) fn new(time: Duration) -> Self {
        Self(Mutex::new(Left { time, waiting_until: Instant::now() }))
    }

    /// Takes what a wait adds to those under way; returns false, and takes nothing, if there is not as much left.
    fn book(&self, wait: Duration) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let until = now + wait;
        let adds = until.saturating_duration_since(left.waiting_until.max(now));
        let Some(time) = left.time.checked_sub(adds) else { return false };
        left.time = time;
        left.waiting_until = left.waiting_until.max(until);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled(again: Again) -> Failed {
        Failed { error: RequestError::TooManyRequests, again }
    }

    #[test]
    fn waits_grow_and_end() {
        let budget = Budget::new(Duration::from_mins(1));
        let waits: Vec<_> = (1..=4).map(|tries| throttled(Again::Soon).wait(tries, Duration::ZERO, &budget)).collect();
        assert!(waits[0].unwrap() >= FIRST_WAIT / 2 && waits[0].unwrap() <= FIRST_WAIT);
        assert!(waits[2].unwrap() >= FIRST_WAIT * 2);
        assert_eq!(waits[3], None);
    }

    #[test]
    fn a_server_cannot_make_it_wait_for_ever() {
        let budget = Budget::new(Duration::from_mins(1));
        let wait = throttled(Again::After(Duration::from_hours(1))).wait(1, Duration::ZERO, &budget).unwrap();
        assert!(wait <= LONGEST_WAIT + FIRST_WAIT);
    }

    #[test]
    fn slow_tries_are_not_repeated() {
        let budget = Budget::new(Duration::from_mins(1));
        assert_eq!(throttled(Again::Soon).wait(1, SLOW * 2, &budget), None);
    }

    #[test]
    fn waits_at_the_same_time_count_once() {
        let budget = Budget::new(Duration::from_millis(1500));
        assert!((0..10).all(|_| budget.book(Duration::from_secs(1))));
        assert!(!budget.book(Duration::from_secs(4)));
    }
}
