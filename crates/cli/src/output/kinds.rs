//! Which columns the table of each kind of thing has.

use serde_json::Value;

use super::columns::{Column, scalar, seconds};

/// A kind of thing that is shown in a table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Provider,
    Connection,
    Prerequisite,
    Network,
    Subnet,
    SecurityGroup,
    KeyPair,
    Version,
    MachineType,
    Image,
    Region,
    Cluster,
    UnmanagedCluster,
    TakenOver,
    NodeGroup,
    Node,
    MetricValue,
    Operation,
    Stage,
    Remains,
    PlannedStage,
    RehearsedCase,
    ConformanceCase,
    ApiToken,
    Audit,
    LogLevel,
    Setting,
}

/// The columns of a kind of thing.
pub(crate) const fn columns_of(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Provider => PROVIDER,
        Kind::Connection => CONNECTION,
        Kind::Prerequisite => PREREQUISITE,
        Kind::Network => NETWORK,
        Kind::Subnet => SUBNET,
        Kind::SecurityGroup => SECURITY_GROUP,
        Kind::KeyPair => KEY_PAIR,
        Kind::Version => VERSION,
        Kind::MachineType => MACHINE_TYPE,
        Kind::Image => IMAGE,
        Kind::Region => REGION,
        Kind::Cluster => CLUSTER,
        Kind::UnmanagedCluster => UNMANAGED_CLUSTER,
        Kind::TakenOver => TAKEN_OVER,
        Kind::NodeGroup => NODE_GROUP,
        Kind::Node => NODE,
        Kind::MetricValue => METRIC_VALUE,
        Kind::Operation => OPERATION,
        Kind::Stage => STAGE,
        Kind::Remains => REMAINS,
        Kind::PlannedStage => PLANNED_STAGE,
        Kind::RehearsedCase => REHEARSED_CASE,
        Kind::ConformanceCase => CONFORMANCE_CASE,
        Kind::ApiToken => API_TOKEN,
        Kind::Audit => AUDIT,
        Kind::LogLevel => LOG_LEVEL,
        Kind::Setting => SETTING,
    }
}

const LOG_LEVEL: &[Column] = &[Column::at("FILTER", "/filter")];

const NAME: Column = Column::at("NAME", "/name");
const STATUS: Column = Column::at("STATUS", "/status");
const CONNECTION_OF: Column = Column::at("CONNECTION", "/connection");
const SYSTEM_ID: Column = Column::at("SYSTEM ID", "/iid/systemId");
const REASON: Column = Column::at("REASON", "/statusReason");
const TAGS: Column = Column::by("TAGS", |row| pairs(row, "/tags")).wide();
const CREATED: Column = Column::time("CREATED", "/createdAt");

const PROVIDER: &[Column] = &[
    Column::at("NAME", "/name"),
    Column::by("TITLE", |row| first(row, &["/title", "/capabilities/title"])),
    Column::by("CREDENTIALS", |row| {
        let forms = ["/credentialForms", "/capabilities/credentialForms"];
        forms.iter().find_map(|at| row.pointer(at)).map(|forms| each(forms, "/name")).unwrap_or_default()
    }),
];

const TAKEN_OVER: &[Column] = &[
    Column::at("KIND", "/kind"),
    CONNECTION_OF,
    NAME,
    Column::at("SYSTEM ID", "/systemId"),
    Column::at("STANDING", "/standing"),
    Column::at("WHY", "/why"),
];

const CONNECTION: &[Column] = &[
    NAME,
    Column::at("PROVIDER", "/provider"),
    Column::at("REGION", "/region"),
    Column::at("ZONE", "/zone"),
    Column::at("ACCOUNT", "/account/account"),
    Column::at("PRINCIPAL", "/account/principal").wide(),
    CREATED.wide(),
];

const PREREQUISITE: &[Column] = &[
    NAME,
    Column::at("STATE", "/state"),
    Column::at("BY", "/by"),
    // What is missing, or why nobody could look.
    Column::by("MISSING", |row| {
        let missing = row.pointer("/missing").and_then(Value::as_array);
        let all = missing.map(|all| all.iter().map(scalar).collect::<Vec<_>>().join("; "));
        all.or_else(|| row.pointer("/why").map(scalar)).unwrap_or_default()
    }),
    Column::at("FIX", "/fix"),
    Column::at("WHAT FOR", "/says").wide(),
];

const REHEARSED_CASE: &[Column] = &[
    Column::at("CASE", "/name"),
    Column::by("TAKES", |row| duration(row, "/seconds")),
    Column::at("CALLS", "/calls"),
    Column::at("MAKES", "/madeSays"),
    Column::at("NOTE", "/note"),
];

const CONFORMANCE_CASE: &[Column] = &[
    Column::at("CASE", "/name"),
    Column::at("VERDICT", "/verdict"),
    Column::by("TOOK", |row| duration(row, "/seconds")),
    Column::at("CALLS", "/calls"),
    Column::at("MADE", "/madeSays").wide(),
    Column::at("REASON", "/reason"),
];

const NETWORK: &[Column] = &[
    NAME,
    STATUS,
    Column::at("CIDR", "/cidr"),
    Column::by("SUBNETS", |row| row.pointer("/subnets").map(|all| each(all, "/name")).unwrap_or_default()),
    SYSTEM_ID,
    REASON,
    CONNECTION_OF.wide(),
    TAGS,
    CREATED.wide(),
];

const SUBNET: &[Column] = &[
    NAME,
    STATUS,
    Column::at("CIDR", "/cidr"),
    Column::at("ZONE", "/zone"),
    Column::at("NETWORK", "/network"),
    SYSTEM_ID,
    REASON,
    TAGS,
    CREATED.wide(),
];

const SECURITY_GROUP: &[Column] = &[
    NAME,
    STATUS,
    Column::at("NETWORK", "/network"),
    Column::by("RULES", |row| length(row, "/rules")),
    SYSTEM_ID,
    REASON,
    CONNECTION_OF.wide(),
    TAGS,
    CREATED.wide(),
];

const KEY_PAIR: &[Column] = &[
    NAME,
    STATUS,
    Column::at("FINGERPRINT", "/fingerprint"),
    SYSTEM_ID,
    REASON,
    CONNECTION_OF.wide(),
    TAGS,
    CREATED.wide(),
];

const VERSION: &[Column] = &[
    Column::at("VERSION", "/version"),
    Column::by("DEFAULT", |row| yes(row, "/default")),
    Column::at("SUPPORT", "/support"),
    Column::at("STANDARD UNTIL", "/endOfStandardSupport"),
    Column::at("EXTENDED UNTIL", "/endOfExtendedSupport"),
];

const MACHINE_TYPE: &[Column] = &[
    NAME,
    Column::at("VCPUS", "/vcpus"),
    Column::at("MEMORY MIB", "/memoryMib"),
    Column::at("ARCHITECTURE", "/architecture"),
    Column::at("GPUS", "/gpus"),
    Column::at("ZONES", "/zones").wide(),
];

const IMAGE: &[Column] = &[
    NAME,
    Column::by("DEFAULT", |row| yes(row, "/default")),
    Column::at("ARCHITECTURE", "/architecture"),
    Column::at("SYSTEM", "/operatingSystem"),
    Column::at("DESCRIPTION", "/description").wide(),
];

const REGION: &[Column] = &[NAME, Column::at("ZONES", "/zones")];

const CLUSTER: &[Column] = &[
    NAME,
    CONNECTION_OF,
    STATUS,
    Column::by("VERSION", |row| first(row, &["/observed/version", "/version"])),
    Column::by("NODE GROUPS", |row| length(row, "/nodeGroups")),
    Column::by("NODES", nodes_of_cluster),
    Column::time("OBSERVED", "/observedAt"),
    REASON,
    Column::at("ENDPOINT", "/endpoint").wide(),
    Column::at("NETWORK", "/network").wide(),
    TAGS,
    CREATED.wide(),
];

const UNMANAGED_CLUSTER: &[Column] = &[
    Column::at("SYSTEM ID", "/iid/systemId"),
    CONNECTION_OF,
    STATUS,
    Column::at("VERSION", "/version"),
    Column::at("INSTALLATION", "/installation"),
    CREATED.wide(),
];

const NODE_GROUP: &[Column] = &[
    NAME,
    STATUS,
    Column::by("VERSION", |row| first(row, &["/observed/version", "/version"])),
    Column::by("MACHINE TYPE", |row| first(row, &["/observed/machineType", "/machineType"])),
    Column::by("NODES", |row| length(row, "/nodes")),
    Column::by("SCALING", scaling),
    REASON,
    Column::by("IMAGE", |row| first(row, &["/observed/image", "/image"])).wide(),
    Column::at("KEY PAIR", "/keyPair").wide(),
    CREATED.wide(),
];

const NODE: &[Column] = &[
    NAME,
    Column::at("NODE GROUP", "/nodeGroup"),
    Column::at("STATE", "/state"),
    Column::at("MACHINE TYPE", "/machineType"),
    Column::at("ZONE", "/zone"),
    Column::at("PRIVATE IP", "/privateIp"),
    SYSTEM_ID,
    Column::at("PUBLIC IP", "/publicIp").wide(),
    Column::time("LAUNCHED", "/launchedAt").wide(),
];

const METRIC_VALUE: &[Column] =
    &[Column::time("AT", "/at"), Column::at("VALUE", "/value"), Column::at("UNIT", "/unit")];

const OPERATION: &[Column] = &[
    Column::at("ID", "/id"),
    Column::at("KIND", "/kind"),
    Column::by("RESOURCE", resource),
    Column::at("STATE", "/state"),
    Column::by("PROGRESS", |row| {
        let count = |at| row.pointer(at).map(scalar).unwrap_or_default();
        format!("{}/{}", count("/progress/done"), count("/progress/total"))
    }),
    Column::time("UPDATED", "/updatedAt"),
    Column::at("ERROR", "/error/detail"),
    Column::at("BY", "/requestedBy").wide(),
    CREATED.wide(),
];

const STAGE: &[Column] = &[
    NAME,
    Column::at("STATE", "/state"),
    Column::at("ATTEMPTS", "/attempts"),
    Column::time("STARTED", "/startedAt"),
    Column::time("FINISHED", "/finishedAt"),
    Column::at("DETAIL", "/detail"),
];

const REMAINS: &[Column] = &[
    Column::at("REMAINS", "/kind"),
    NAME,
    Column::at("SYSTEM ID", "/systemId"),
    Column::at("WHY", "/reason"),
];

const PLANNED_STAGE: &[Column] = &[
    NAME,
    Column::by("AFTER", before),
    Column::by("USUALLY TAKES", |row| duration(row, "/expectedSeconds")),
];

const API_TOKEN: &[Column] = &[
    Column::at("ID", "/uid"),
    NAME,
    Column::at("ROLE", "/role"),
    Column::by("CONNECTIONS", |row| match row.pointer("/connections") {
        None | Some(Value::Null) => "all".to_owned(),
        Some(names) => scalar(names),
    }),
    CREATED,
    Column::time("EXPIRES", "/expiresAt"),
    Column::time("REVOKED", "/revokedAt"),
];

const AUDIT: &[Column] = &[
    Column::time("AT", "/at"),
    Column::at("WHO", "/who"),
    Column::at("ACTION", "/action"),
    Column::at("TARGET", "/target"),
    Column::at("REQUEST", "/requestId").wide(),
];

const SETTING: &[Column] =
    &[Column::at("KEY", "/name"), Column::at("VALUE", "/value"), Column::at("SOURCE", "/source")];

fn first(row: &Value, pointers: &[&str]) -> String {
    let texts = pointers.iter().filter_map(|at| row.pointer(at)).map(scalar);
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

fn each(values: &Value, pointer: &str) -> String {
    let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
    values.iter().filter_map(|value| value.pointer(pointer)).map(scalar).collect::<Vec<_>>().join(",")
}

/// The members of an object: `key=value`.
fn pairs(row: &Value, pointer: &str) -> String {
    let all = row.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    all.map(|(key, value)| format!("{key}={}", scalar(value))).collect::<Vec<_>>().join(",")
}

fn length(row: &Value, pointer: &str) -> String {
    row.pointer(pointer).and_then(Value::as_array).map(|values| values.len().to_string()).unwrap_or_default()
}

fn duration(row: &Value, pointer: &str) -> String {
    row.pointer(pointer).and_then(Value::as_u64).map(seconds).unwrap_or_default()
}

fn yes(row: &Value, pointer: &str) -> String {
    let set = row.pointer(pointer).and_then(Value::as_bool).unwrap_or(false);
    if set { "yes".to_owned() } else { String::new() }
}

fn nodes_of_cluster(row: &Value) -> String {
    let groups = row.pointer("/nodeGroups").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // What is kept of a group that is gone is what it was.
    let stand =
        groups.iter().filter(|group| group.pointer("/status").and_then(Value::as_str) != Some("Missing"));
    let nodes = stand.filter_map(|group| group.pointer("/nodes").and_then(Value::as_array));
    nodes.map(Vec::len).sum::<usize>().to_string()
}

/// The stages before one. Those that many things are removed by are too many for a line.
fn before(row: &Value) -> String {
    let names = row.pointer("/after").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let shown: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
    match shown.as_slice() {
        [first, second, more @ ..] if !more.is_empty() => {
            format!("{first}, {second} and {} more", more.len())
        }
        shown => shown.join(","),
    }
}

/// What the cloud says, where it was asked; limits that it does not keep while no autoscaler uses them are the wish.
fn scaling(row: &Value) -> String {
    let at = |place| row.pointer(place).filter(|scaling: &&Value| scaling.is_object());
    let Some(scaling) = at("/observed/scaling").or_else(|| at("/scaling")) else { return String::new() };
    let number = |of: &Value, at| of.pointer(at).map(scalar).unwrap_or_default();
    // The size is the autoscaler's then: what creation started with is no wish.
    let is_on = !yes(scaling, "/autoScaling").is_empty();
    let keeps = |of: &&Value| is_on || number(of, "/min") != number(of, "/max");
    let limits = Some(scaling).filter(keeps).or_else(|| at("/scaling")).unwrap_or(scaling);
    let limits = format!("{}-{}", number(limits, "/min"), number(limits, "/max"));
    if is_on { format!("{limits} auto") } else { format!("{} ({limits})", number(scaling, "/desired")) }
}

fn resource(row: &Value) -> String {
    let part = |at| row.pointer(at).and_then(Value::as_str);
    let kind = part("/resource/kind").unwrap_or_default();
    let name = part("/resource/name").unwrap_or_default();
    match part("/resource/cluster").or_else(|| part("/resource/network")) {
        Some(whole) => format!("{kind}/{whole}/{name}"),
        None => format!("{kind}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_scaling_is_what_the_cloud_says() {
        let asked = json!({"autoScaling": true, "min": 1, "max": 5, "desired": 2});
        let row = |seen: Value| json!({"scaling": asked, "observed": {"scaling": seen}});
        let seen = |auto, min, max| json!({"autoScaling": auto, "min": min, "max": max, "desired": 4});
        assert_eq!(scaling(&row(seen(false, 2, 6))), "4 (2-6)");
        assert_eq!(scaling(&row(seen(false, 4, 4))), "4 (1-5)");
        assert_eq!(scaling(&row(seen(true, 2, 7))), "2-7 auto");
        assert_eq!(scaling(&row(Value::Null)), "1-5 auto");
    }

    #[test]
    fn a_size_that_an_autoscaler_moves_is_no_wish() {
        let said = |auto: bool| {
            scaling(&json!({"scaling": {"autoScaling": auto, "min": 2, "max": 4, "desired": 3}}))
        };
        assert_eq!((said(true), said(false)), ("2-4 auto".to_owned(), "3 (2-4)".to_owned()));
    }

    #[test]
    fn what_the_cloud_says_comes_before_what_was_asked() {
        let row =
            json!({"version": "1.31", "observed": {"version": "1.32"}, "nodeGroups": [{"nodes": [1, 2]}]});
        let text = |title| CLUSTER.iter().find(|column| column.title == title).unwrap().text(&row);
        assert_eq!((text("VERSION"), text("NODES")), ("1.32".to_owned(), "2".to_owned()));
    }
}
