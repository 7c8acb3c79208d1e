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
            body_bytes: 16 * 1024 * 1024,
        }
    }
}

/// At any pace a change has at least this long: it is waited for by whoever must know that it is not sent any more.
const SHORTEST_CHANGE: Duration = Duration::from_secs(1);
/// At any pace a read has at least this long: nobody waits for its end, and machines that have other work stand still for
/// seconds.
const SHORTEST_READ: Duration = Duration::from_secs(10);

impl Limits {
    /// The limits of a change at `pace`: the total is divided by it, down to one second at least, and nothing lasts
    /// longer than the total.
    #[must_use]
    pub fn at_pace(self, pace: u32) -> Self {
        self.paced(pace, SHORTEST_CHANGE)
    }

    /// The same of a read, down to ten seconds at least.
    pub(crate) fn of_reads_at_pace(self, pace: u32) -> Self {
        self.paced(pace, SHORTEST_READ)
    }

    fn paced(self, pace: u32, shortest: Duration) -> Self {
        let total = (self.total / pace.max(1)).max(shortest.min(self.total));
        Self { connect: self.connect.min(total), read: self.read.min(total), total, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_divides_the_total_down_to_what_a_call_needs() {
        let limits = Limits::default();
        assert_eq!(limits.at_pace(0), limits);
        assert_eq!(limits.at_pace(6).total, Duration::from_secs(10));
        assert_eq!(limits.at_pace(6).read, Duration::from_secs(10));
        assert_eq!(limits.at_pace(100_000).total, Duration::from_secs(1));
        assert_eq!(limits.of_reads_at_pace(100_000).total, Duration::from_secs(10));
        assert_eq!(limits.of_reads_at_pace(1), limits);
        let short = Limits { total: Duration::from_millis(200), ..limits };
        assert_eq!(short.at_pace(9).total, Duration::from_millis(200));
    }
}
