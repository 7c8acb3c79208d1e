//! What a cloud measures of a node: which things, in which unit, at which times. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Findings;

/// Something that is measured of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NodeMetric {
    /// How busy its processors are.
    CpuUsage,
    /// How much of its memory is used.
    MemoryUsage,
    /// What is read from its disks.
    DiskRead,
    /// What is written to its disks.
    DiskWrite,
    /// How often its disks are read.
    DiskReadOperations,
    /// How often its disks are written.
    DiskWriteOperations,
    /// What it receives.
    NetworkIn,
    /// What it sends.
    NetworkOut,
}

impl NodeMetric {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::CpuUsage,
        Self::MemoryUsage,
        Self::DiskRead,
        Self::DiskWrite,
        Self::DiskReadOperations,
        Self::DiskWriteOperations,
        Self::NetworkIn,
        Self::NetworkOut,
    ];

    /// Its word, as in paths and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CpuUsage => "cpuUsage",
            Self::MemoryUsage => "memoryUsage",
            Self::DiskRead => "diskRead",
            Self::DiskWrite => "diskWrite",
            Self::DiskReadOperations => "diskReadOperations",
            Self::DiskWriteOperations => "diskWriteOperations",
            Self::NetworkIn => "networkIn",
            Self::NetworkOut => "networkOut",
        }
    }

    /// The metric of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == word)
    }

    /// What its values are counted in, at every cloud.
    pub fn unit(self) -> MetricUnit {
        match self {
            Self::CpuUsage | Self::MemoryUsage => MetricUnit::Percent,
            Self::DiskRead | Self::DiskWrite | Self::NetworkIn | Self::NetworkOut => MetricUnit::Bytes,
            Self::DiskReadOperations | Self::DiskWriteOperations => MetricUnit::Count,
        }
    }
}

/// What values are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MetricUnit {
    /// Of a hundred: the mean of an interval.
    Percent,
    /// The sum of an interval.
    Bytes,
    /// The sum of an interval.
    Count,
}

impl MetricUnit {
    /// Its word, for people and for clients.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Percent => "Percent",
            Self::Bytes => "Bytes",
            Self::Count => "Count",
        }
    }
}

/// A value, and the begin of the interval that it tells of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricValue {
    /// When the interval began.
    pub at: Timestamp,
    /// The mean or the sum of the interval, in the metric's unit.
    pub value: f64,
}

/// Which times a series is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricWindow {
    /// How long the interval of one value is, in minutes.
    pub interval_minutes: u32,
    /// How many hours before now the series begins.
    pub hours: u32,
}

impl MetricWindow {
    /// What is taken where nobody says: a value a minute of the last hour.
    pub const DEFAULT: Self = Self { interval_minutes: 1, hours: 1 };
    /// The most values of a series: some clouds answer no more at once, and more are nobody's to read.
    pub const MOST_VALUES: u32 = 1440;

    /// The longest interval: a day, in minutes.
    pub const LONGEST_INTERVAL: u32 = 24 * 60;
    /// The earliest begin, in hours before now: no cloud keeps its measures for longer than 455 days.
    pub const EARLIEST: u32 = 24 * 455;

    /// One interval.
    pub fn interval(self) -> Duration {
        Duration::from_secs(60 * u64::from(self.interval_minutes))
    }

    /// Finds what no cloud answers, and the intervals that this one has not: it has `intervals` in minutes, or all
    /// where none are listed.
    pub fn find_wrong(self, intervals: &[u32], findings: &mut Findings) {
        let minutes = self.interval_minutes;
        if minutes == 0 || minutes > Self::LONGEST_INTERVAL {
            findings.add("intervalMinutes", format!("must be a number from 1 to {}", Self::LONGEST_INTERVAL));
        } else if !intervals.is_empty() && !intervals.contains(&minutes) {
            let known = intervals.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            findings.add("intervalMinutes", format!("this cloud has intervals of {known} minutes"));
        }
        let values = u64::from(self.hours) * 60 / u64::from(minutes.max(1));
        if self.hours == 0 || self.hours > Self::EARLIEST {
            findings.add("hours", format!("must be a number from 1 to {}", Self::EARLIEST));
        } else if values == 0 {
            findings.add("intervalMinutes", "must not be longer than the hours that are asked for");
        } else if values > u64::from(Self::MOST_VALUES) {
            let most = Self::MOST_VALUES;
            findings.add(
                "hours",
                format!("would be {values} values: ask for at most {most}, by a longer interval"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_json() {
        for metric in NodeMetric::ALL {
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.as_str());
            assert_eq!(NodeMetric::of(metric.as_str()), Some(metric));
        }
        assert_eq!(NodeMetric::of("cpu_usage"), None);
    }

    #[test]
    fn windows_that_nobody_answers_are_found() {
        let fields = |interval_minutes, hours, intervals: &[u32]| {
            let mut findings = Findings::default();
            MetricWindow { interval_minutes, hours }.find_wrong(intervals, &mut findings);
            findings.iter().map(|finding| finding.field.clone()).collect::<Vec<_>>()
        };
        assert!(
            fields(1, 1, &[]).is_empty() && fields(1, 24, &[]).is_empty() && fields(60, 1, &[]).is_empty()
        );
        assert_eq!(fields(0, 1, &[]), ["intervalMinutes"]);
        assert_eq!(fields(1, 0, &[]), ["hours"]);
        assert_eq!(fields(1, 25, &[]), ["hours"]);
        assert_eq!(fields(61, 1, &[]), ["intervalMinutes"]);
        assert_eq!(fields(7, 1, &[1, 5]), ["intervalMinutes"]);
        assert_eq!(fields(1440, 24 * 455, &[]), Vec::<String>::new());
        assert_eq!(fields(u32::MAX, u32::MAX, &[1]), ["intervalMinutes", "hours"]);
    }
}
