//! Cloud Monitoring v3. Numbers of 64 bits travel as texts.
//!
//! Source: <https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list#response-body>

use jiff::Timestamp;
use serde::Deserialize;

/// A page of series. Where there are none Google writes an empty object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Page {
    pub(crate) time_series: Vec<Series>,
    pub(crate) next_page_token: String,
}

/// A series.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Series {
    pub(crate) points: Vec<Point>,
}

/// A value, and when.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Point {
    pub(crate) interval: Interval,
    #[serde(default)]
    pub(crate) value: Value,
}

/// A time; a gauge has its end alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Interval {
    pub(crate) end_time: Timestamp,
}

/// One of these.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Value {
    pub(crate) double_value: Option<f64>,
    pub(crate) int64_value: Option<String>,
}

impl Value {
    /// Whichever it is.
    pub(crate) fn number(&self) -> Option<f64> {
        self.double_value.or_else(|| self.int64_value.as_ref()?.parse().ok())
    }
}
