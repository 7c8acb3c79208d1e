//! `Microsoft.Insights`: what Azure Monitor knows of a resource.

use jiff::Timestamp;
use pmks_driver::Result;

use super::{Api, read, version};
use crate::arm_id::ArmId;
use crate::wire::insights as wire;

impl Api {
    /// A metric of a resource, `Average` or `Total` of each interval of a time.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/monitor/metrics/list>
    pub(crate) async fn metric(
        &self,
        resource: &ArmId,
        name: &str,
        aggregation: &str,
        (from, until): (Timestamp, Timestamp),
        interval: &str,
    ) -> Result<wire::Metrics> {
        let shape = read("insights", "Metrics.List", version::INSIGHTS);
        let mut path = resource.segments();
        path.extend(["providers", "Microsoft.Insights", "metrics"]);
        let call = self
            .call(shape, &path)
            .query("metricnames", name)
            .query("aggregation", aggregation)
            .query("timespan", &format!("{from}/{until}"))
            .query("interval", interval)
            // Another interval than the one that is asked for would be taken for it.
            .query("AutoAdjustTimegrain", "false");
        self.json(call).await
    }
}
