//! Every metric of the program with its kind, its labels and what it says: one table, from which `/metrics` has its help
//! and docs/observability.md its list.
//!
//! Names by <https://prometheus.io/docs/practices/naming/>. Labels have few values: names of ours, of clouds and of their
//! calls; never a user's name, an account or an identifier.

use std::fmt::Write as _;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

/// From a read of memory to a slow cloud.
const SECONDS: &[f64] = &[0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0, 120.0, 600.0];
/// What a cloud works on takes minutes.
const MINUTES: &[f64] = &[1.0, 5.0, 15.0, 60.0, 180.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0, 7200.0];
/// What a disk does.
const DISK: &[f64] = &[0.0001, 0.0005, 0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0];
/// How many share a commit.
const SHARED: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// What is counted in which steps, where it is not [`SECONDS`].
const STEPS: [(&str, &[f64]); 6] = [
    ("pmks_operation_duration_seconds", MINUTES),
    ("pmks_stage_duration_seconds", MINUTES),
    ("pmks_store_commit_duration_seconds", DISK),
    ("pmks_store_read_duration_seconds", DISK),
    ("pmks_store_write_duration_seconds", DISK),
    ("pmks_store_commit_transactions", SHARED),
];

/// The kinds of metrics.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

use Kind::{Counter, Gauge, Histogram};

/// Name, kind, labels, what it says.
type Metric = (&'static str, Kind, &'static [&'static str], &'static str);

const METRICS: &[Metric] = &[
    ("pmks_build_info", Gauge, &["version"], "always 1; the version of the program"),
    (
        "pmks_http_requests_total",
        Counter,
        &["method", "route", "status"],
        "requests answered, by route template; a stream counts when it begins",
    ),
    ("pmks_http_request_duration_seconds", Histogram, &["method", "route", "status"], "how long they took"),
    ("pmks_operations", Gauge, &["kind", "state"], "operations that are not over"),
    (
        "pmks_operation_oldest_age_seconds",
        Gauge,
        &["kind", "state"],
        "how long ago the oldest of them was accepted; 0: there is none",
    ),
    ("pmks_operations_accepted_total", Counter, &["kind"], "operations accepted"),
    ("pmks_operations_ended_total", Counter, &["kind", "state"], "operations that ended, by how"),
    (
        "pmks_operation_duration_seconds",
        Histogram,
        &["kind", "state"],
        "how long they took from their first stage on",
    ),
    (
        "pmks_stage_duration_seconds",
        Histogram,
        &["stage", "outcome"],
        "how long stages took, by kind of stage: `done` or `failed`",
    ),
    ("pmks_engine_steps_under_way", Gauge, &[], "operations that are at work at this moment"),
    ("pmks_engine_wait_seconds", Histogram, &[], "how long after it was due an operation was taken up"),
    (
        "pmks_engine_calls_total",
        Counter,
        &["call", "stage", "outcome"],
        "what the engine asked drivers: `prepare`, `list`, `look`, `baseline`, `ask`, `poll`, `remove_failed`",
    ),
    (
        "pmks_cloud_calls_total",
        Counter,
        &["provider", "service", "action", "outcome"],
        "tries of cloud calls, by status class, or why there was no answer; `abandoned`: nobody waited for it any longer",
    ),
    (
        "pmks_cloud_call_duration_seconds",
        Histogram,
        &["provider", "service", "action", "outcome"],
        "how long each try took",
    ),
    (
        "pmks_cloud_throttled_total",
        Counter,
        &["provider", "service", "action"],
        "answers that said it was too much",
    ),
    (
        "pmks_cloud_budget_wait_seconds",
        Histogram,
        &["provider", "service", "lane"],
        "how long calls waited for their turn",
    ),
    (
        "pmks_cloud_budget_tokens",
        Gauge,
        &["provider", "service", "action"],
        "calls that may be sent at once now, in the account where they are fewest; `service` `all`, with an HTTP method as \
         `action`, is what the cloud counts together",
    ),
    (
        "pmks_cloud_budget_waiting_calls",
        Gauge,
        &["provider", "service", "action"],
        "calls that wait for their turn",
    ),
    (
        "pmks_cloud_budget_rate_ratio",
        Gauge,
        &["provider", "service", "action"],
        "how much of the rate is used: 1, less after the cloud said it was too much",
    ),
    (
        "pmks_log_lines_lost_total",
        Counter,
        &[],
        "lines of the log for which there was no room, since whoever reads it does not come after",
    ),
    (
        "pmks_trace_spans_total",
        Counter,
        &["outcome"],
        "spans `sent` to the collector, or `dropped` because it did not take them in time; only where traces are on",
    ),
    (
        "pmks_refreshes_total",
        Counter,
        &["result"],
        "lists that brought observations up to date: `ok` or `failed`",
    ),
    ("pmks_store_read_duration_seconds", Histogram, &["read", "outcome"], "how long reads of the store took"),
    (
        "pmks_store_write_duration_seconds",
        Histogram,
        &["transaction", "outcome"],
        "how long transactions took, from their wish to the disk: `ok`, `refused` or `failed`",
    ),
    ("pmks_store_commit_duration_seconds", Histogram, &[], "how long commits took to be on the disk"),
    ("pmks_store_commit_transactions", Histogram, &[], "how many transactions shared a commit"),
    ("pmks_store_writes_waiting", Gauge, &[], "transactions that wait for their turn to write"),
    (
        "pmks_store_failures_total",
        Counter,
        &["fault"],
        "what the database failed at: `full`, `forbidden`, `corrupt`, `removed`, `disk`, `other`",
    ),
];

/// What a recorder of these is built from.
pub(super) fn buckets() -> PrometheusBuilder {
    let usual = PrometheusBuilder::new().set_buckets(SECONDS);
    let all = STEPS.iter().try_fold(usual.unwrap_or_default(), |builder, (name, steps)| {
        builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), steps)
    });
    all.unwrap_or_default()
}

/// Tells the recorder what each says.
pub(super) fn describe() {
    for (name, kind, _, says) in METRICS {
        match kind {
            Counter => metrics::describe_counter!(*name, *says),
            Gauge => metrics::describe_gauge!(*name, *says),
            Histogram => metrics::describe_histogram!(*name, *says),
        }
    }
}

/// Every metric, as a table in Markdown.
pub fn table() -> String {
    let mut table = "| metric | kind | labels | what it says |\n|---|---|---|---|\n".to_owned();
    for (name, kind, labels, says) in METRICS {
        let kind = match kind {
            Counter => "counter",
            Gauge => "gauge",
            Histogram => "histogram",
        };
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| `{name}` | {kind} | {} | {says} |", labels.join(", "));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_guide() {
        for (name, kind, labels, says) in METRICS {
            assert!(name.starts_with("pmks_") && !says.is_empty(), "{name}");
            assert_eq!(matches!(kind, Counter), name.ends_with("_total"), "{name}");
            let seconds = !matches!(kind, Histogram) || name.ends_with("_seconds");
            assert!(seconds || *name == "pmks_store_commit_transactions", "{name} has no unit");
            assert!(
                labels.iter().all(|label| !["le", "quantile", "job", "instance"].contains(label)),
                "{name}"
            );
            assert!(
                !["account", "connection", "cluster", "name", "uid"].iter().any(|bad| labels.contains(bad))
            );
        }
    }

    #[test]
    fn the_page_lists_them_all() {
        let page = include_str!("../../../../docs/observability.md");
        assert!(page.contains(&table()), "docs/observability.md must contain:\n{}", table());
    }
}
