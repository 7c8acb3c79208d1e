//! The machine that this server runs on, and what both use, as CB-Spider tells it.
//!
//! Source: <https://github.com/cloud-barista/cb-spider/blob/master/api-runtime/common-runtime/SystemStatsHandler.go>

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::host::{self, Counted, Facts};
use super::numbers::{bytes, gibibytes, percent, rate, uptime};
use super::system_tables;
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;

/// Between two looks at what only counts up.
const INTERVAL: Duration = Duration::from_secs(1);

/// What Linux does not tell of one process, in CB-Spider's word.
const UNTOLD: &str = "NA";

pub(super) async fn system(call: Call) -> Answer {
    let told = described(&read(host::facts).await?);
    if as_text(&call)? { Ok(Reply::Text(system_tables::system(&told))) } else { Ok(Reply::Json(told)) }
}

pub(super) async fn usage(call: Call) -> Answer {
    let before = read(host::counted).await?;
    call.settings.clock.deadline(INTERVAL).await;
    let after = read(host::counted).await?;
    let told = used(&before, &after);
    if as_text(&call)? { Ok(Reply::Text(system_tables::usage(&told))) } else { Ok(Reply::Json(told)) }
}

/// Whether a table for people is asked for; by any other word JSON is, as with CB-Spider.
fn as_text(call: &Call) -> Result<bool, Refusal> {
    Ok(call.query.text("mode")? == "text")
}

/// The system may make who asks for a disk's size wait.
async fn read<T: Send + 'static>(ask: fn() -> T) -> Result<T, Refusal> {
    let read = tokio::task::spawn_blocking(ask).await;
    read.map_err(|_| Refusal::internal("the machine could not be looked at"))
}

fn described(facts: &Facts) -> Value {
    let disks = facts.disks.iter().map(|(at, size)| json!({"MountPoint": at, "TotalSpace": bytes(*size)}));
    json!({
        "Hostname": facts.hostname,
        "Platform": facts.platform,
        "PlatformVersion": facts.platform_version,
        "KernelArch": facts.architecture,
        "KernelVersion": facts.kernel,
        "Uptime": uptime(facts.uptime_seconds),
        "CPUModel": facts.cpu_model,
        "PhysicalCores": facts.physical_cores,
        "LogicalCores": facts.logical_cores,
        "ClockSpeed": facts.clock_mhz.map_or_else(String::new, |mhz| format!("{:.2} GHz", mhz / 1000.0)),
        "TotalMemory": gibibytes(facts.memory_bytes),
        "SwapMemory": gibibytes(facts.swap_bytes),
        "DiskPartitions": disks.collect::<Vec<_>>(),
    })
}

/// What was used between two looks.
fn used(before: &Counted, after: &Counted) -> Value {
    let all = before.cpu.and_then(|cpu| after.cpu?.busy_since(&cpu));
    let cores = before.cores.iter().zip(&after.cores).enumerate().filter_map(|(index, (before, after))| {
        Some((format!("Core{index:02}"), percent(after.busy_since(before)?)))
    });
    let cores: BTreeMap<String, String> = cores.collect();
    // A part of all cores, as the whole machine's is.
    let own =
        before.cpu.and_then(|cpu| after.cpu?.part_of(&cpu, after.own_ticks.checked_sub(before.own_ticks)?));
    let memory = after.memory_bytes.saturating_sub(after.available_bytes);
    let of_memory = |part: u64| percent(part_of(part, after.memory_bytes));
    json!({
        "SystemCPUPercent": all.map(percent).unwrap_or_default(),
        "SystemCPUCorePercent": cores,
        "SystemMemoryUsed": gibibytes(memory),
        "SystemMemoryTotal": gibibytes(after.memory_bytes),
        "SystemMemoryPercent": of_memory(memory),
        "SystemDiskRead": rate(before.disk_read, after.disk_read),
        "SystemDiskWrite": rate(before.disk_written, after.disk_written),
        "SystemNetSent": rate(before.net_sent, after.net_sent),
        "SystemNetReceived": rate(before.net_received, after.net_received),
        "ProcessName": after.own_name,
        "ProcessCPUPercent": own.map(percent).unwrap_or_default(),
        "ProcessCPUCorePercent": {},
        "ProcessMemoryUsed": gibibytes(after.own_memory_bytes),
        "ProcessMemoryPercent": of_memory(after.own_memory_bytes),
        "ProcessDiskRead": rate(before.own_read, after.own_read),
        "ProcessDiskWrite": rate(before.own_written, after.own_written),
        "ProcessNetSent": UNTOLD,
        "ProcessNetReceived": UNTOLD,
    })
}

#[expect(clippy::cast_precision_loss, reason = "two digits of it are told")]
fn part_of(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 }
}

#[cfg(test)]
mod tests {
    use super::super::host::Ticks;
    use super::*;

    #[test]
    fn what_was_used_is_what_came_between_two_looks() {
        let before = Counted {
            cpu: Some(Ticks { all: 1000, idle: 900 }),
            cores: vec![Ticks { all: 500, idle: 450 }, Ticks { all: 500, idle: 450 }],
            own_ticks: 10,
            disk_read: 1 << 20,
            net_sent: 5,
            ..Counted::default()
        };
        let after = Counted {
            cpu: Some(Ticks { all: 1200, idle: 1050 }),
            cores: vec![Ticks { all: 600, idle: 500 }, Ticks { all: 600, idle: 550 }],
            own_ticks: 30,
            own_memory_bytes: 1 << 30,
            memory_bytes: 4 << 30,
            available_bytes: 3 << 30,
            disk_read: 3 << 20,
            net_sent: 4,
            ..before.clone()
        };
        let told = used(&before, &after);
        assert_eq!(told["SystemCPUPercent"], "25.00 %");
        assert_eq!(told["SystemCPUCorePercent"], json!({"Core00": "50.00 %", "Core01": "0.00 %"}));
        assert_eq!(told["ProcessCPUPercent"], "10.00 %");
        assert_eq!(
            (&told["SystemMemoryUsed"], &told["SystemMemoryPercent"]),
            (&json!("1.00 GiB"), &json!("25.00 %"))
        );
        assert_eq!((&told["SystemDiskRead"], &told["SystemNetSent"]), (&json!("2.00 MB/s"), &json!("0 B/s")));
    }
}
