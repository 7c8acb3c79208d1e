//! Time and size limits of a call.

use std::time::Duration;

/// Limits of one call, for a cloud at its own pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection, TLS included, is made.
    pub connect: Duration,
    /// Between two pieces of an answer, and until its first one.
    pub read: Duration,
    /// The whole call: waiting for the budget, every try, the pauses between them, the answer's last byte. After this
    /// the transport sends nothing more.
    pub total: Duration,
    /// The largest body of an answer, in bytes, after decompression.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            total: Duration::from_mins(1),
            body_bytes: 32 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// The limits at `pace`: the total is divided by it, down to one second at least, and nothing lasts longer than
    /// the total.
    #[must_use]
    pub fn at_pace(self, pace: u32) -> Self {
        let floor = Duration::from_secs(1).min(self.total);
        let total = (self.total / pace.max(1)).max(floor);
        Self { connect: self.connect.min(total), read: self.read.min(total), total, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_divides_the_total_down_to_one_second() {
        let limits = Limits::default();
        assert_eq!(limits.at_pace(0), limits);
        assert_eq!(limits.at_pace(6).total, Duration::from_secs(10));
        assert_eq!(limits.at_pace(6).read, Duration::from_secs(10));
        assert_eq!(limits.at_pace(100_000).total, Duration::from_secs(1));
        let short = Limits { total: Duration::from_millis(200), ..limits };
        assert_eq!(short.at_pace(9).total, Duration::from_millis(200));
    }
}
