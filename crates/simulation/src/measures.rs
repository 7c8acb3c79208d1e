//! What simulated machines measure of themselves: series that look like a small node's day, the same for the same machine
//! and minute whoever asks and however often. Keeps nothing.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::{SignedDuration, Timestamp};

/// Something that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// The part of its processors that is busy, from 0 to 1.
    Processors,
    /// The part of its memory that is used, from 0 to 1.
    Memory,
    /// Bytes read from its disks.
    DiskRead,
    /// Bytes written to its disks.
    DiskWritten,
    /// How often its disks are read.
    DiskReads,
    /// How often its disks are written.
    DiskWrites,
    /// Bytes received.
    Received,
    /// Bytes sent.
    Sent,
}

impl Measure {
    /// Whether an interval is told by its mean instead of its sum.
    pub fn is_part(self) -> bool {
        matches!(self, Self::Processors | Self::Memory)
    }

    /// What is usual, and how far a minute may lie from it.
    fn usual(self) -> (f64, f64) {
        match self {
            Self::Processors => (0.12, 0.08),
            Self::Memory => (0.34, 0.03),
            Self::DiskRead => (180_000.0, 120_000.0),
            Self::DiskWritten => (2_400_000.0, 900_000.0),
            Self::DiskReads => (14.0, 11.0),
            Self::DiskWrites => (310.0, 90.0),
            Self::Received => (5_200_000.0, 2_100_000.0),
            Self::Sent => (4_100_000.0, 1_700_000.0),
        }
    }

    /// What a machine measures in a minute, counted from the epoch.
    fn minute(self, machine: &str, minute: i64) -> f64 {
        let (usual, spread) = self.usual();
        let mut hasher = DefaultHasher::new();
        (machine, self, minute).hash(&mut hasher);
        let step = i32::try_from(hasher.finish() % 2001).unwrap_or_default();
        let value = usual + spread * (f64::from(step) / 1000.0 - 1.0);
        if self.is_part() { value } else { value.floor() }
    }
}

/// How long a machine is shown to have run already when it is made: where work goes a thousand times faster than the
/// clock on the wall, nothing made would have a past that could be asked for.
const PAST: SignedDuration = SignedDuration::from_hours(24);

/// A machine that is measured, seen at some moment.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// What no other machine is called.
    pub machine: &'a str,
    /// When it was made.
    pub since: Timestamp,
    /// Now: nothing is known of what comes.
    pub now: Timestamp,
}

impl Measured<'_> {
    /// The begin and the value of each interval of `step` whole minutes from `from` on, up to `until`, in which the
    /// machine ran. The mean of parts, the sum of all else.
    pub fn series(
        &self,
        measure: Measure,
        from: Timestamp,
        until: Timestamp,
        step: SignedDuration,
    ) -> Vec<(Timestamp, f64)> {
        let minute = |at: Timestamp| at.as_second().div_euclid(60);
        let minutes = (step.as_secs() / 60).max(1);
        let (first, last) = (
            minute(self.since.saturating_sub(PAST).unwrap_or(self.since)),
            minute(self.now).min(minute(until)),
        );
        let mut all = Vec::new();
        let mut begin = minute(from);
        while begin < last {
            let known = begin.max(first)..(begin + minutes).min(last);
            let values: Vec<f64> = known.map(|at| measure.minute(self.machine, at)).collect();
            let sum: f64 = values.iter().sum();
            let number = u32::try_from(values.len()).map_or(1.0, f64::from);
            if let (false, Ok(at)) = (values.is_empty(), Timestamp::from_second(begin * 60)) {
                all.push((at, if measure.is_part() { sum / number } else { sum }));
            }
            begin += minutes;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn series_are_the_same_whoever_asks_and_of_the_time_that_a_machine_ran() {
        let seen =
            Measured { machine: "i-1", since: at("2026-01-02T10:30:00Z"), now: at("2026-01-01T11:00:30Z") };
        let of = |measure, minutes| {
            let (from, until) = (at("2026-01-01T10:00:00Z"), at("2026-01-01T12:00:00Z"));
            seen.series(measure, from, until, SignedDuration::from_mins(minutes))
        };
        let minutes = of(Measure::DiskWritten, 1);
        assert_eq!(minutes.len(), 30);
        assert_eq!(minutes[0].0, at("2026-01-01T10:30:00Z"));
        assert_eq!(minutes, of(Measure::DiskWritten, 1));
        let fives = of(Measure::DiskWritten, 5);
        assert_eq!(fives.len(), 6);
        let sum: f64 = minutes[..5].iter().map(|(_, value)| value).sum();
        assert!((fives[0].1 - sum).abs() < 0.5);
        let hour = of(Measure::Processors, 60);
        assert!(hour.len() == 1 && hour[0].1 > 0.04 && hour[0].1 < 0.2, "{hour:?}");
        let other = Measured { machine: "i-2", ..seen };
        let step = SignedDuration::from_mins(1);
        assert_ne!(other.series(Measure::DiskWritten, at("2026-01-01T10:00:00Z"), seen.now, step), minutes);
    }
}
