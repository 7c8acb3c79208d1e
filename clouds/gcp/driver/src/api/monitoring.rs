//! The calls of Cloud Monitoring.
//!
//! Source: <https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list>

use http::Method;
use jiff::Timestamp;
use pmks_driver::{Effect, Result};

use super::{Api, MOST_PAGES, endless};
use crate::wire::monitoring as wire;

/// Which series are read, and what becomes of their values.
#[derive(Clone, Debug)]
pub(crate) struct Asked<'a> {
    /// A filter that names one metric.
    pub(crate) filter: &'a str,
    /// What of an interval is told: `ALIGN_MEAN` or `ALIGN_DELTA`.
    pub(crate) aligner: &'static str,
    /// How long the interval is, in seconds.
    pub(crate) seconds: u64,
    /// The first moment.
    pub(crate) from: Timestamp,
    /// The end of the last interval; the others end whole intervals before.
    pub(crate) until: Timestamp,
}

impl Api {
    /// The sum of all series that are asked for, the latest value first.
    pub(crate) async fn time_series(&self, asked: &Asked<'_>) -> Result<Vec<wire::Point>> {
        const ACTION: &str = "monitoring.timeSeries.list";
        let path = ["v3", "projects", self.project(), "timeSeries"];
        let (mut points, mut token) = (Vec::new(), String::new());
        for _ in 0..MOST_PAGES {
            let mut call = self
                .call("monitoring", ACTION, Effect::Read, Method::GET, &path)?
                .query("filter", asked.filter)
                .query("interval.startTime", &asked.from.to_string())
                .query("interval.endTime", &asked.until.to_string())
                .query("aggregation.alignmentPeriod", &format!("{}s", asked.seconds))
                .query("aggregation.perSeriesAligner", asked.aligner)
                .query("aggregation.crossSeriesReducer", "REDUCE_SUM");
            if !token.is_empty() {
                call = call.query("pageToken", &token);
            }
            let page: wire::Page = self.json(call).await?;
            points.extend(page.time_series.into_iter().flat_map(|series| series.points));
            if page.next_page_token.is_empty() {
                return Ok(points);
            }
            token = page.next_page_token;
        }
        Err(endless(ACTION))
    }
}
