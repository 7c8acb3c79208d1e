//! `Microsoft.Insights`: the metrics of the machines of scale sets. No metrics of anything else, no dimensions, no
//! definitions.
//!
//! Source: <https://learn.microsoft.com/rest/api/monitor/metrics/list>

use jiff::{SignedDuration, Timestamp};
use pmks_simulation::{Measure, Measured};
use serde_json::{Value, json};

use crate::arm::Call;
use crate::compute::machine;
use crate::error::{Error, Result};
use crate::reply::Reply;

const NAMESPACE: &str = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines";

/// Name, unit, aggregations, what is measured, and how its value is written.
///
/// Source: <https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-compute-virtualmachinescalesets-virtualmachines-metrics>
const METRICS: [(&str, &str, Measure, Written); 8] = [
    ("Percentage CPU", "Percent", Measure::Processors, Written::Percent),
    ("Available Memory Percentage", "Percent", Measure::Memory, Written::Left),
    ("Disk Read Bytes", "Bytes", Measure::DiskRead, Written::Sum),
    ("Disk Write Bytes", "Bytes", Measure::DiskWritten, Written::Sum),
    ("Disk Read Operations/Sec", "CountPerSecond", Measure::DiskReads, Written::Rate),
    ("Disk Write Operations/Sec", "CountPerSecond", Measure::DiskWrites, Written::Rate),
    ("Network In Total", "Bytes", Measure::Received, Written::Sum),
    ("Network Out Total", "Bytes", Measure::Sent, Written::Sum),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Percent,
    Left,
    Sum,
    Rate,
}

/// The intervals in minutes.
const GRAINS: [(&str, i64); 8] = [
    ("PT1M", 1),
    ("PT5M", 5),
    ("PT15M", 15),
    ("PT30M", 30),
    ("PT1H", 60),
    ("PT6H", 360),
    ("PT12H", 720),
    ("P1D", 1440),
];

/// Carries out one call.
///
/// # Errors
/// The service's refusal.
pub(crate) fn handle(call: &mut Call<'_>, action: &str) -> Result<Reply> {
    match action {
        "Metrics_List" => list(call),
        other => Err(Error::bad("InvalidResourceType", format!("The simulated Azure does not do {other}."))),
    }
}

fn list(call: &Call<'_>) -> Result<Reply> {
    let (cluster, _, found) = machine(call)?;
    let given = |key: &str| call.query.get(key).map_or("", String::as_str);
    let name = given("metricnames");
    let known = METRICS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
    let (name, unit, measure, written) = known.ok_or_else(|| {
        let all: Vec<&str> = METRICS.iter().map(|(known, ..)| *known).collect();
        Error::bad(
            "BadRequest",
            format!("Failed to find metric configuration for provider: Microsoft.Compute, resource Type: virtualMachineScaleSets/virtualMachines, metric: {name}, Valid metrics: {}", all.join(",")),
        )
    })?;
    let interval = given("interval");
    let grain = GRAINS.iter().find(|(known, _)| *known == interval);
    let (interval, minutes) = grain.ok_or_else(|| {
        let all: Vec<&str> = GRAINS.iter().map(|(known, _)| *known).collect();
        Error::bad(
            "BadRequest",
            format!("Detected invalid time grain input, supported ones: {}", all.join(",")),
        )
    })?;
    let (from, until) = timespan(given("timespan"))?;
    let aggregation = given("aggregation");
    let member = match aggregation {
        "Total" => "total",
        "Average" | "" => "average",
        other => return Err(Error::bad("BadRequest", format!("Invalid aggregation: {other}"))),
    };
    let measured = Measured { machine: &found.id, since: found.created, now: call.now.wall };
    let step = SignedDuration::from_mins(*minutes);
    let data: Vec<Value> = measured
        .series(*measure, from, until, step)
        .into_iter()
        .map(|(at, value)| json!({"timeStamp": at, member: shown(*written, member, value, *minutes)}))
        .collect();
    let id = call.id(&format!(
        "Microsoft.Compute/virtualMachineScaleSets/{}/virtualMachines/{}",
        call.name(2),
        found.number
    ))?;
    Ok(Reply::ok(json!({
        "cost": data.len(), "timespan": format!("{from}/{until}"), "interval": interval, "namespace": NAMESPACE,
        "resourceregion": cluster.location,
        "value": [{
            "id": format!("{id}/providers/Microsoft.Insights/metrics/{name}"), "type": "Microsoft.Insights/metrics",
            "name": {"value": name, "localizedValue": name}, "displayDescription": name, "unit": unit,
            "errorCode": "Success", "timeseries": [{"metadatavalues": [], "data": data}],
        }],
    })))
}

/// What Azure writes for what a machine measured within an interval.
fn shown(written: Written, member: &str, value: f64, minutes: i64) -> f64 {
    let minutes = i32::try_from(minutes).map_or(1.0, f64::from);
    match (written, member) {
        (Written::Percent, _) => value * 100.0,
        (Written::Left, _) => 100.0 - value * 100.0,
        (Written::Rate, "average") => value / (minutes * 60.0),
        // A minute's sample is what it sums up.
        (Written::Sum, "average") => value / minutes,
        _ => value,
    }
}

fn timespan(text: &str) -> Result<(Timestamp, Timestamp)> {
    let times =
        text.split_once('/').and_then(|(from, until)| Some((from.parse().ok()?, until.parse().ok()?)));
    times.filter(|(from, until)| from < until).ok_or_else(|| {
        Error::bad("BadRequest", format!("Invalid timespan: {text}, expected start/end in ISO 8601"))
    })
}
