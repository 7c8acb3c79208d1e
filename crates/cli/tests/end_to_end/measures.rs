//! What a server's process takes, and what a simulated cloud was asked for.

use std::time::Duration;

use serde_json::Value;

use crate::sandbox::Server;

/// Resident memory in MiB.
pub(crate) fn resident(server: &Server) -> f64 {
    let pages = field(&format!("/proc/{}/statm", server.pid()), 1);
    f64::from(u32::try_from(pages).unwrap()) * 4096.0 / 1024.0 / 1024.0
}

/// Time of the processor that it has used, in steps of ten milliseconds.
pub(crate) fn processor(server: &Server) -> Duration {
    let stat = format!("/proc/{}/stat", server.pid());
    Duration::from_millis((field(&stat, 13) + field(&stat, 14)) * 10)
}

/// The program's own name, which may hold spaces elsewhere, holds none.
fn field(path: &str, index: usize) -> u64 {
    std::fs::read_to_string(path).unwrap().split(' ').nth(index).unwrap().parse().unwrap()
}

/// Whether a call was refused because there were too many.
pub(crate) fn was_throttled(call: &Value) -> bool {
    let code = call["code"].as_str().unwrap_or_default();
    call["status"] == 429
        || ["Throttl", "RequestLimitExceeded", "RATE_LIMIT"].iter().any(|word| code.contains(word))
}
