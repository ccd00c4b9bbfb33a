//! The time of day: for people, and as a number that does not come again.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970. Fine enough to tell apart what bears the same name one after the other.
pub(crate) fn nanoseconds() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX)
}

/// Seconds since 1970, as events tell the time.
pub(crate) fn seconds() -> i64 {
    i64::try_from(nanoseconds() / 1_000_000_000).unwrap_or(i64::MAX)
}
