//! Token buckets by which a simulated cloud throttles, in real time as clouds do.
//!
//! Never waits: a call either takes a token or is refused.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The size of a bucket and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BucketLimits {
    /// Calls possible at once.
    pub capacity: f64,
    /// Calls a second that it regains.
    pub per_second: f64,
}

/// Buckets by key (account, region and action, as the cloud counts them).
#[derive(Debug, Default)]
pub struct Buckets {
    filled: Mutex<BTreeMap<String, (f64, Duration)>>,
}

impl Buckets {
    /// Takes one token from the bucket `key` at the monotonic time `now`.
    ///
    /// # Errors
    /// The time after which a token will be there.
    pub fn take(&self, key: &str, limits: BucketLimits, now: Duration) -> Result<(), Duration> {
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, since) = filled.entry(key.to_owned()).or_insert((limits.capacity, now));
        let gained = now.saturating_sub(*since).as_secs_f64() * limits.per_second;
        *tokens = (*tokens + gained).min(limits.capacity);
        *since = now;
        if *tokens >= 1.0 {
            *tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::try_from_secs_f64((1.0 - *tokens) / limits.per_second).unwrap_or(Duration::MAX))
    }

    /// Whole calls that were left in a bucket when it was last asked; 0 where it never was.
    pub fn left(&self, key: &str) -> u64 {
        let filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = filled.get(key).map_or(0.0, |(tokens, _)| tokens.floor());
        Duration::try_from_secs_f64(tokens).map_or(0, |whole| whole.as_secs())
    }

    /// Fills all buckets.
    pub fn clear(&self) {
        self.filled.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let buckets = Buckets::default();
        let limits = BucketLimits { capacity: 2.0, per_second: 4.0 };
        let at = Duration::from_millis;
        assert_eq!(buckets.take("a", limits, at(0)), Ok(()));
        assert_eq!((buckets.left("a"), buckets.left("b")), (1, 0));
        assert_eq!(buckets.take("a", limits, at(0)), Ok(()));
        assert_eq!(buckets.take("a", limits, at(0)), Err(at(250)));
        assert_eq!(buckets.take("b", limits, at(0)), Ok(()));
        assert_eq!(buckets.take("a", limits, at(250)), Ok(()));
        assert!(buckets.take("a", limits, at(250)).is_err());
    }
}
