//! What Azure Monitor answers.
//!
//! Source: <https://learn.microsoft.com/rest/api/monitor/metrics/list#response>

use serde::Deserialize;

/// The metrics that were asked for.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metrics {
    /// There also where it is empty.
    pub(crate) value: Vec<Metric>,
}

/// One of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metric {
    pub(crate) timeseries: Vec<Series>,
}

/// Its series: one, where no dimension is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Series {
    pub(crate) data: Vec<Point>,
}

/// A value; an interval of which nothing is known has a time alone.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Point {
    #[serde(rename = "timeStamp")]
    pub(crate) at: jiff::Timestamp,
    #[serde(default)]
    pub(crate) average: Option<f64>,
    #[serde(default)]
    pub(crate) total: Option<f64>,
}
