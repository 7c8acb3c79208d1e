//! What is told of the machine as CB-Spider's tables of text.
//!
//! Source: <https://github.com/cloud-barista/cb-spider/blob/master/api-runtime/common-runtime/SystemStatsHandler.go>,
//! `printSystemInfoTable` and `printResourceUsageTable`

use serde_json::Value;

/// A row: the first cell of a table's own rows is indented.
type Row = [String; 3];

/// What stays as it is.
pub(super) fn system(told: &Value) -> String {
    let text = |key: &str| shown(told.get(key));
    let mut rows = vec![
        row("Host", "Hostname", text("Hostname")),
        row("", "OS", format!("{} {}", text("Platform"), text("PlatformVersion"))),
        row("", "Architecture", text("KernelArch")),
        row("", "Kernel", text("KernelVersion")),
        row("", "Uptime", text("Uptime")),
        row("CPU", "Model", text("CPUModel")),
        row("", "Cores", format!("{} physical, {} logical", text("PhysicalCores"), text("LogicalCores"))),
        row("", "Clock Speed", text("ClockSpeed")),
        row("Memory", "Total Capacity", text("TotalMemory")),
        row("", "Swap Capacity", text("SwapMemory")),
    ];
    let disks = told.get("DiskPartitions").and_then(Value::as_array);
    for (index, disk) in disks.into_iter().flatten().enumerate() {
        let mounted = format!("Mount Point: {}", shown(disk.get("MountPoint")));
        let size = format!("Total: {}", shown(disk.get("TotalSpace")));
        rows.push(row(if index == 0 { "Disk" } else { "" }, mounted, size));
    }
    let title = "-------------------------------- <System Information> ---------------------------------";
    format!("\n{title}\n{}\n", table(["CATEGORY", "PROPERTY", "VALUE"], &rows))
}

/// What is used.
pub(super) fn usage(told: &Value) -> String {
    let text = |key: &str| shown(told.get(key));
    let two = |of: &str, first: [&str; 2], second: [&str; 2]| {
        let [first, second] =
            [first, second].map(|[says, key]| format!("{says}: {}", text(&format!("{of}{key}"))));
        format!("{first}, {second}")
    };
    let of_memory =
        |of: &str| format!("{} ({})", text(&format!("{of}MemoryUsed")), text(&format!("{of}MemoryPercent")));
    let on_disks = |of: &str| two(of, ["R", "DiskRead"], ["W", "DiskWrite"]);
    let on_network = |of: &str| two(of, ["Sent", "NetSent"], ["Recv", "NetReceived"]);
    let own = format!("{} ({})", text("ProcessCPUPercent"), text("ProcessName"));
    let mut rows = vec![row("CPU", text("SystemCPUPercent"), own)];
    let cores = told.get("SystemCPUCorePercent").and_then(Value::as_object);
    for (core, busy) in cores.into_iter().flatten() {
        let own = told.get("ProcessCPUCorePercent").and_then(|own| own.get(core));
        rows.push(row(&format!("  {core}"), shown(Some(busy)), shown(own)));
    }
    rows.extend([
        row(&format!("Memory ({})", text("SystemMemoryTotal")), of_memory("System"), of_memory("Process")),
        row("Disk I/O", on_disks("System"), on_disks("Process")),
        row("Network I/O", on_network("System"), on_network("Process")),
    ]);
    let title = "--------------------- <System Resource Usage and CB-Spider Usage> ---------------------";
    format!("{title}\n{}", table(["RESOURCE", "SYSTEM TOTAL USAGE", "CB-SPIDER USAGE"], &rows))
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

fn row(first: &str, second: impl Into<String>, third: impl Into<String>) -> Row {
    [format!("  {first}"), second.into(), third.into()]
}

/// Cells as wide as their column, a tab after each.
///
/// Source: <https://github.com/olekukonko/tablewriter/blob/v0.0.5/table.go>, without white space and borders
fn table(head: [&str; 3], rows: &[Row]) -> String {
    let width = |cell: &str| cell.chars().count();
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(column, title)| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
            cells.max().unwrap_or_default().max(width(title))
        })
        .collect();
    let line = |cells: &[&str]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("\t")
    };
    let mut text = line(&head) + " \n";
    for row in rows {
        text.push_str(&line(&row.each_ref().map(String::as_str)));
        text.push_str("\t\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As the tables of its library are, of these rows.
    #[test]
    fn tables_are_written_as_cb_spider_writes_them() {
        let disks = json!([{"MountPoint": "/", "TotalSpace": "5.00 GB"}, {"MountPoint": "/data", "TotalSpace": "1.00 TB"}]);
        let told = json!({
            "Hostname": "h", "Platform": "debian", "PlatformVersion": "13", "KernelArch": "x86_64", "KernelVersion": "6.1",
            "Uptime": "5 minutes", "CPUModel": "", "PhysicalCores": 1, "LogicalCores": 2, "ClockSpeed": "2.00 GHz",
            "TotalMemory": "4.00 GiB", "SwapMemory": "0.00 GiB", "DiskPartitions": disks,
        });
        assert_eq!(system(&told), include_str!("system_tables/system.txt"));
        let told = json!({
            "SystemCPUPercent": "25.00 %", "SystemCPUCorePercent": {"Core00": "50.00 %", "Core01": "0.00 %"},
            "SystemMemoryUsed": "1.00 GiB", "SystemMemoryTotal": "4.00 GiB", "SystemMemoryPercent": "25.00 %",
            "SystemDiskRead": "2.00 MB/s", "SystemDiskWrite": "0 B/s", "SystemNetSent": "1.00 KB/s",
            "SystemNetReceived": "0 B/s", "ProcessName": "pmks", "ProcessCPUPercent": "10.00 %",
            "ProcessCPUCorePercent": {}, "ProcessMemoryUsed": "0.50 GiB", "ProcessMemoryPercent": "12.50 %",
            "ProcessDiskRead": "0 B/s", "ProcessDiskWrite": "3 B/s", "ProcessNetSent": "NA", "ProcessNetReceived": "NA",
        });
        assert_eq!(usage(&told), include_str!("system_tables/usage.txt"));
    }
}
