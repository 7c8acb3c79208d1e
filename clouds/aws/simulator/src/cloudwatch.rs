//! The simulated `CloudWatch`: the statistics of instances that EC2 measures. No metrics of anything else, no agent's, no
//! alarms; the form of the query protocol alone, which `CloudWatch` still speaks beside newer ones.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>

use jiff::{SignedDuration, Timestamp};
use pmks_simulation::{Measure, Measured};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::xml::Xml;

/// The most data points of an answer.
const MOST: i64 = 1440;

/// The metric, its unit, what is measured, and what a part is multiplied by.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html>
const METRICS: [(&str, &str, Measure, f64); 7] = [
    ("CPUUtilization", "Percent", Measure::Processors, 100.0),
    ("EBSReadBytes", "Bytes", Measure::DiskRead, 1.0),
    ("EBSWriteBytes", "Bytes", Measure::DiskWritten, 1.0),
    ("EBSReadOps", "Count", Measure::DiskReads, 1.0),
    ("EBSWriteOps", "Count", Measure::DiskWrites, 1.0),
    ("NetworkIn", "Bytes", Measure::Received, 1.0),
    ("NetworkOut", "Bytes", Measure::Sent, 1.0),
];

/// Carries out one call.
pub(crate) fn handle(context: &Context<'_>, action: &str, query: &Query) -> Result<Xml> {
    match action {
        "GetMetricStatistics" => statistics(context, query),
        _ => Err(Error::unknown_action(action)),
    }
}

fn needed<'q>(query: &'q Query, name: &str) -> Result<&'q str> {
    let says = format!("The parameter {name} is required.");
    query.get(name).filter(|text| !text.is_empty()).ok_or_else(|| Error::bad("MissingParameter", says))
}

fn time(query: &Query, name: &str) -> Result<Timestamp> {
    let text = needed(query, name)?;
    let says = format!("The parameter {name} must be a timestamp: {text}");
    text.parse().map_err(|_| Error::bad("InvalidParameterValue", says))
}

fn statistics(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let (namespace, metric) = (needed(query, "Namespace")?, needed(query, "MetricName")?);
    let (from, until) = (time(query, "StartTime")?, time(query, "EndTime")?);
    let period =
        needed(query, "Period")?.parse::<i64>().ok().filter(|period| *period >= 60 && period % 60 == 0);
    let says = "The parameter Period must be a multiple of 60.";
    let period = period.ok_or_else(|| Error::bad("InvalidParameterValue", says))?;
    if from >= until {
        let says = "The parameter StartTime must be less than the parameter EndTime.";
        return Err(Error::bad("InvalidParameterValue", says));
    }
    let points = (until.as_second() - from.as_second()) / period;
    if points > MOST {
        let says = format!(
            "You have requested up to {points} datapoints, which exceeds the limit of {MOST}. You may reduce the \
             datapoints requested by increasing Period, or decreasing the time range."
        );
        return Err(Error::bad("InvalidParameterCombination", says));
    }
    let wanted = query.list("Statistics.member");
    if wanted.is_empty() || wanted.iter().any(|one| !["Average", "Sum"].contains(&one.as_str())) {
        let says = "At least one of the parameters Statistics and ExtendedStatistics must be specified.";
        return Err(Error::bad("InvalidParameterCombination", says));
    }
    let empty = Xml::new().text("Label", metric).list("Datapoints", "member", []);
    let known = METRICS.iter().find(|(known, ..)| namespace == "AWS/EC2" && *known == metric);
    let named = query.get("Dimensions.member.1.Name") == Some("InstanceId");
    let instance = query.get("Dimensions.member.1.Value").filter(|_| named);
    let instance = instance.and_then(|id| context.region().ec2.instances.get(id));
    // What was never told is not an error here, but nothing.
    let (Some((_, unit, measure, factor)), Some(instance)) = (known, instance) else { return Ok(empty) };
    let measured = Measured { machine: &instance.id, since: instance.launched, now: context.now.wall };
    let series = measured.series(*measure, from, until, SignedDuration::from_secs(period));
    let minutes = i32::try_from(period / 60).map_or(1.0, f64::from);
    // `CloudWatch` keeps no order.
    let points = series.into_iter().rev().map(|(at, value)| {
        let (average, sum) = if measure.is_part() {
            (value * factor, value * factor * minutes)
        } else {
            (value / minutes, value)
        };
        let point = Xml::new().text("Timestamp", at.strftime("%Y-%m-%dT%H:%M:%SZ"));
        let point =
            if wanted.iter().any(|one| one == "Average") { point.text("Average", average) } else { point };
        let point = if wanted.iter().any(|one| one == "Sum") { point.text("Sum", sum) } else { point };
        point.text("Unit", unit)
    });
    Ok(Xml::new().text("Label", metric).list("Datapoints", "member", points.collect::<Vec<_>>()))
}
