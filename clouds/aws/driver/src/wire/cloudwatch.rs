//! What `CloudWatch` answers.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Datapoint.html>

use serde::Deserialize;

use crate::query::List;

/// `GetMetricStatisticsResult`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Statistics {
    #[serde(default, rename = "Datapoints")]
    pub(crate) points: List<Point>,
}

/// The statistics of one period.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Point {
    /// When the period began.
    #[serde(rename = "Timestamp")]
    pub(crate) at: jiff::Timestamp,
    #[serde(default, rename = "Average")]
    pub(crate) average: Option<f64>,
    #[serde(default, rename = "Sum")]
    pub(crate) sum: Option<f64>,
}
