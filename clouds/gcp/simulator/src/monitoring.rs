//! Cloud Monitoring: the series of instances that Compute Engine measures, and of nodes that GKE measures. One metric of
//! one machine a request; no other metrics, no alerts, no dashboards.
//!
//! Source: <https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use pmks_simulation::{Measure, Measured};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::call::Call;
use crate::compute::Instance;
use crate::error::{Error, Result};
use crate::front::no_such_path;
use crate::route::Route;

/// The metric, its unit, what is measured, and whether GKE measures it of a node.
///
/// Source: <https://cloud.google.com/monitoring/api/metrics_gcp_c#gcp-compute>,
/// <https://cloud.google.com/monitoring/api/metrics_kubernetes>
const METRICS: [(&str, &str, Measure, bool); 8] = [
    ("compute.googleapis.com/instance/cpu/utilization", "10^2.%", Measure::Processors, false),
    ("kubernetes.io/node/memory/allocatable_utilization", "1", Measure::Memory, true),
    ("compute.googleapis.com/instance/disk/read_bytes_count", "By", Measure::DiskRead, false),
    ("compute.googleapis.com/instance/disk/write_bytes_count", "By", Measure::DiskWritten, false),
    ("compute.googleapis.com/instance/disk/read_ops_count", "1", Measure::DiskReads, false),
    ("compute.googleapis.com/instance/disk/write_ops_count", "1", Measure::DiskWrites, false),
    ("compute.googleapis.com/instance/network/received_bytes_count", "By", Measure::Received, false),
    ("compute.googleapis.com/instance/network/sent_bytes_count", "By", Measure::Sent, false),
];

/// Carries out one call.
pub(crate) fn handle(call: &Call<'_>, route: &Route, request: &Request<Bytes>) -> Result<Value> {
    match route.action.as_str() {
        "timeSeries.list" => list(call, request.uri().query().unwrap_or_default()),
        other => Err(no_such_path(other)),
    }
}

fn list(call: &Call<'_>, query: &str) -> Result<Value> {
    let given: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let text = |key: &str| given.get(key).map_or("", String::as_str);
    let filter = filter(text("filter"))?;
    let wanted = |key: &str| filter.get(key).map_or("", String::as_str);
    let metric = wanted("metric.type");
    let known = METRICS.iter().find(|(known, ..)| *known == metric);
    let (metric, unit, measure, of_node) = known
        .ok_or_else(|| Error::not_found(format!("Cannot find metric(s) that match type = \"{metric}\".")))?;
    let kind = if *of_node { "k8s_node" } else { "gce_instance" };
    if wanted("resource.type") != kind {
        let says =
            format!("The resource type {:?} does not have the metric {metric}.", wanted("resource.type"));
        return Err(Error::invalid(says));
    }
    let time = |key: &str| {
        let said = text(key).parse::<Timestamp>();
        said.map_err(|_| Error::invalid(format!("Field {key} had an invalid value of \"{}\".", text(key))))
    };
    let (from, until) = (time("interval.startTime")?, time("interval.endTime")?);
    if from >= until {
        return Err(Error::invalid(
            "Field interval had an invalid value: The start time must be before the end time.",
        ));
    }
    let seconds =
        text("aggregation.alignmentPeriod").strip_suffix('s').and_then(|text| text.parse::<i64>().ok());
    let seconds = seconds.filter(|seconds| *seconds >= 60 && seconds % 60 == 0).ok_or_else(|| {
        Error::invalid("Field aggregation.alignmentPeriod had an invalid value: must be at least 60 seconds.")
    })?;
    let aligner = if measure.is_part() { "ALIGN_MEAN" } else { "ALIGN_DELTA" };
    if text("aggregation.perSeriesAligner") != aligner {
        let says = format!("The aligner cannot be applied to metrics of {metric}; {aligner} can.");
        return Err(Error::invalid(format!(
            "Field aggregation.perSeriesAligner had an invalid value: {says}"
        )));
    }
    let name =
        if *of_node { wanted("resource.labels.node_name") } else { wanted("metric.labels.instance_name") };
    let zone = wanted("resource.labels.zone");
    let is_it = |one: &&Instance| one.name == name && (*of_node || one.wish.zone == zone);
    let Some(found) = call.held().compute.instances.values().find(is_it) else {
        return Ok(json!({"unit": unit}));
    };
    let step = SignedDuration::from_secs(seconds);
    let measured = Measured { machine: &found.id, since: found.created, now: call.now.wall };
    let mut points: Vec<Value> = measured
        .series(*measure, from, until, step)
        .into_iter()
        .map(|(begin, value)| point(measure.is_part(), begin, begin + step, value))
        .collect();
    points.reverse();
    Ok(json!({
        "timeSeries": [{
            "metric": {"type": metric},
            "resource": {"type": kind, "labels": {"project_id": call.project}},
            "metricKind": if measure.is_part() { "GAUGE" } else { "DELTA" },
            "valueType": if measure.is_part() { "DOUBLE" } else { "INT64" },
            "points": points,
            "unit": unit,
        }],
        "unit": unit,
    }))
}

/// A gauge is told at the end of its interval, a sum of all of it.
fn point(is_part: bool, begin: Timestamp, end: Timestamp, value: f64) -> Value {
    if is_part {
        json!({"interval": {"startTime": end, "endTime": end}, "value": {"doubleValue": value}})
    } else {
        json!({"interval": {"startTime": begin, "endTime": end}, "value": {"int64Value": format!("{value:.0}")}})
    }
}

/// The comparisons of a filter, as far as clients need them: equality alone, all of which must hold.
///
/// Source: <https://cloud.google.com/monitoring/api/v3/filters>
fn filter(text: &str) -> Result<BTreeMap<String, String>> {
    text.split(" AND ")
        .map(|part| {
            let (key, value) = part.split_once('=')?;
            let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
            Some((key.trim().to_owned(), value.to_owned()))
        })
        .collect::<Option<BTreeMap<_, _>>>()
        .filter(|all| !all.is_empty())
        .ok_or_else(|| Error::invalid(format!("Field filter had an invalid value of \"{text}\".")))
}
