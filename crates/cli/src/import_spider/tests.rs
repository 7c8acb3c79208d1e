//! What is planned of a meta database that holds what cannot be taken over, with a server that knows little.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use pmks_api::Finding;
use pmks_meta_database::{
    ConnectionConfig, CredentialInfo, DriverInfo, Error as MetaError, Known, KnownKind, MetaDatabase, Pair,
    RegionInfo, RowKind, Unreadable,
};
use serde_json::{Value, json};

use super::step::{Standing, Step};
use super::steps::Steps;
use super::surface::Surface;
use super::{ended_by, foresee, look, nobody_answers, refused_groups};
use crate::client::{Client, Door, Received, Sent};
use crate::error::{Error, Result};

/// A server that knows these targets, and takes `refused` for no name.
struct Knows(BTreeMap<&'static str, Value>);

#[async_trait]
impl Door for Knows {
    async fn send(&self, request: Sent) -> Result<Received> {
        let (status, body) = match request.target.as_str() {
            "/spider/cloudos" => (StatusCode::OK, json!({"cloudos": ["AWS"]})),
            "/v1/providers" => (StatusCode::OK, json!({"items": [{"name": "aws"}]})),
            target if target.ends_with("/refused") => {
                (StatusCode::BAD_REQUEST, json!({"message": "not a name of ours"}))
            }
            "/spider/plan/import" => (StatusCode::OK, imported(&request.body)),
            target if target.starts_with("/spider/plan/") => judged(target, &request.body),
            target => match self.0.get(target) {
                Some(there) => (StatusCode::OK, there.clone()),
                None => (StatusCode::NOT_FOUND, json!({"message": "there is none"})),
            },
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = futures::stream::iter([Ok(Bytes::from(body.to_string()))]).boxed();
        Ok(Received { status, headers, body })
    }
}

/// What it says of a record that would be put: regions have a `Region`, and a connection needs what is put before it.
fn judged(target: &str, body: &[u8]) -> (StatusCode, Value) {
    let body: Value = serde_json::from_slice(body).unwrap();
    let refused = |says: &str| (StatusCode::BAD_REQUEST, json!({"message": says}));
    let lists_nothing = body["KeyValueInfoList"] == json!([]);
    match target {
        "/spider/plan/region" if lists_nothing => refused("Region is empty!"),
        "/spider/plan/connectionconfig" if body["ConfigName"] == "odd" => {
            let with = body["With"].as_object().map(|with| with.keys().cloned().collect::<Vec<_>>());
            refused(&format!("with {:?}", with.unwrap_or_default()))
        }
        _ => (StatusCode::OK, body),
    }
}

/// What it says of an import: what is called so is gone, and each region is another place. It writes identifiers small.
fn imported(body: &[u8]) -> Value {
    let body: Value = serde_json::from_slice(body).unwrap();
    let import = &body["Import"];
    let missing = |field: String, id: &Value| json!({"field": field, "says": "there is none", "missing": {"kind": "", "name": id}});
    let is_gone = |id: &Value| id.as_str().unwrap().starts_with("gone");
    let mut findings = Vec::new();
    if is_gone(&import["SystemId"]) {
        findings.push(missing("systemId".to_owned(), &import["SystemId"]));
    }
    for (place, group) in import["NodeGroups"].as_array().unwrap().iter().enumerate() {
        if is_gone(&group["SystemId"]) {
            findings.push(missing(format!("nodeGroups[{place}].systemId"), &group["SystemId"]));
        }
    }
    if import["SystemId"] == "wants-vpc-9" && import["Network"] != "vpc-9" {
        findings.push(json!({"field": "systemId", "says": "it lies elsewhere"}));
    }
    if import["SystemId"] == "silent" {
        return json!({"Refused": {
            "type": "", "title": "", "status": 0, "code": "unavailable", "detail": "no answer", "findings": [],
        }});
    }
    if import["SystemId"] == "bare-k" {
        let id = "/of/it/bare-k";
        return json!({"Place": "here", "SystemId": id, "Known": {"NameId": "other", "SystemId": id}});
    }
    if findings.is_empty() {
        let place = body["With"]["region"]["RegionName"].as_str().unwrap_or("here");
        return json!({"Place": place, "SystemId": import["SystemId"].as_str().unwrap().to_lowercase(), "Known": null});
    }
    json!({"Refused": {
        "type": "", "title": "", "status": 0, "code": "invalid-request", "detail": "not valid", "findings": findings,
    }})
}

fn driver(name: &str) -> DriverInfo {
    DriverInfo { name: name.to_owned(), provider: "AWS".to_owned(), library: "aws.so".to_owned() }
}

pub(super) fn region(name: &str) -> RegionInfo {
    let values = vec![Pair { key: "Region".to_owned(), value: "r1".to_owned() }];
    RegionInfo { name: name.to_owned(), provider: "AWS".to_owned(), values, zones: Vec::new() }
}

pub(super) fn config(name: &str, [driver, credential, region]: [&str; 3]) -> ConnectionConfig {
    let [name, provider, driver, credential, region] =
        [name, "AWS", driver, credential, region].map(str::to_owned);
    ConnectionConfig { name, provider, driver, credential, region }
}

pub(super) fn known(kind: KnownKind, connection: &str, owner: &str, name: &str, csp_id: &str) -> Known {
    let [connection, owner, name, csp_id] = [connection, owner, name, csp_id].map(str::to_owned);
    Known { kind, connection, owner, name, csp_id }
}

fn unreadable(kind: RowKind, connection: &str, name: &str) -> Unreadable {
    let why =
        MetaError::Row { table: kind.table(), row: format!("{name:?}"), why: "it holds no text".to_owned() };
    Unreadable { kind, connection: connection.to_owned(), name: name.to_owned(), why }
}

/// Everything of one connection that works.
pub(super) fn good() -> MetaDatabase {
    let credential = CredentialInfo { name: "c".to_owned(), provider: "AWS".to_owned(), values: Vec::new() };
    MetaDatabase {
        drivers: vec![driver("d")],
        credentials: vec![credential],
        regions: vec![region("r")],
        connection_configs: vec![config("a", ["d", "c", "r"])],
        known: vec![
            known(KnownKind::Network, "a", "", "n", "vpc-1"),
            known(KnownKind::Subnet, "a", "n", "s", "subnet-1"),
            known(KnownKind::Cluster, "a", "n", "k", "k-1"),
            known(KnownKind::NodeGroup, "a", "k", "g", "g-1"),
        ],
        unreadable: Vec::new(),
    }
}

pub(super) async fn planned(meta: &MetaDatabase, here: &[(&'static str, Value)]) -> Steps {
    let door = Knows(here.iter().cloned().collect());
    let surface = Surface::of(Client::new(Arc::new(door))).await.unwrap();
    let mut steps = Steps::of(meta);
    look(&surface, &mut steps).await.unwrap();
    foresee(&surface, &mut steps, false).await.unwrap();
    steps
}

/// What is said of each: kind, name, standing and why.
pub(super) fn said(steps: &Steps) -> Vec<[String; 4]> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let row = |row: &Value| ["kind", "name", "standing", "why"].map(|key| text(row, key));
    steps.all().iter().map(|step| row(&step.row())).collect()
}

pub(super) const GOOD: [[&str; 4]; 8] = [
    ["driver", "d", "to be taken over", ""],
    ["credential", "c", "to be taken over", ""],
    ["region", "r", "to be taken over", ""],
    ["connection", "a", "to be taken over", ""],
    ["network", "n", "to be taken over", ""],
    ["subnet", "s", "to be taken over", ""],
    ["cluster", "k", "to be taken over", ""],
    ["node group", "g", "to be taken over", "with its cluster k"],
];

#[tokio::test]
async fn node_groups_are_shown_with_their_cluster_and_follow_it() {
    let mut steps = planned(&good(), &[]).await;
    assert_eq!(said(&steps), GOOD);
    for (place, _) in GOOD.iter().enumerate().take(7) {
        steps.end(place, Standing::TakenOver, String::new());
    }
    steps.settle();
    assert_eq!(said(&steps)[7], ["node group", "g", "taken over", "with its cluster k"]);
    let mut steps = planned(&good(), &[]).await;
    steps.end(6, Standing::Failed, String::new());
    steps.settle();
    assert_eq!(said(&steps)[7], ["node group", "g", "left out", "its cluster k was not taken over"]);
}

#[test]
fn only_a_refusal_that_speaks_of_node_groups_alone_leaves_them_out() {
    let refused = |fields: &[&str]| {
        let mut error = Error::usage("refused");
        if let Error::Problem(problem) = &mut error {
            let finding = |field: &&str| Finding {
                field: (*field).to_owned(),
                says: "there is none".to_owned(),
                missing: None,
            };
            problem.findings = fields.iter().map(finding).collect();
        }
        let refused = refused_groups(&error).into_iter();
        let end = |(place, (standing, _))| {
            assert_eq!(standing, Standing::LeftOut);
            place
        };
        refused.map(end).collect::<Vec<_>>()
    };
    assert_eq!(refused(&["nodeGroups[0].systemId", "nodeGroups[12].name"]), [0, 12]);
    for other in [&[][..], &["name"], &["nodeGroups"], &["nodeGroups[0].systemId", "name"]] {
        assert!(refused(other).is_empty(), "{other:?}");
    }
}

#[tokio::test]
async fn what_fails_takes_along_what_hangs_on_it() {
    let mut steps = planned(&good(), &[]).await;
    steps.end(2, Standing::Failed, "refused".to_owned());
    steps.settle();
    let said = said(&steps);
    assert_eq!(said[3], ["connection", "a", "left out", "its region r was not taken over"]);
    for row in &said[4..] {
        assert_eq!(row[2..], ["left out", "its connection a was not taken over"], "{row:?}");
    }
    assert_eq!(steps.count(Standing::Wanted), 2, "driver and credential");
}

/// A row more, and the line of the answer that it is.
type Case = (fn(&mut MetaDatabase), [&'static str; 3]);

const BAD: &[Case] = &[
    (
        |meta| meta.drivers.push(driver("..")),
        ["driver", "..", r#"cloud_driver_infos, the row of "..": ".." is no name"#],
    ),
    (
        |meta| meta.regions.push(region("refused")),
        ["region", "refused", r#"region_infos, the row of "refused": invalid-request: not a name of ours"#],
    ),
    (
        |meta| meta.regions.push(RegionInfo { values: Vec::new(), ..region("bare") }),
        ["region", "bare", r#"region_infos, the row of "bare": invalid-request: Region is empty!"#],
    ),
    (
        |meta| meta.connection_configs.push(config("odd", ["d", "c", "r"])),
        [
            "connection",
            "odd",
            r#"connection_config_infos, the row of "odd": invalid-request: with ["credential", "driver", "region"]"#,
        ],
    ),
    (
        |meta| meta.unreadable.push(unreadable(RowKind::Region, "", "x")),
        ["region", "x", r#"region_infos, the row of "x": it holds no text"#],
    ),
    (
        |meta| meta.connection_configs.push(config("b", ["no", "c", "r"])),
        ["connection", "b", "its driver no is neither in the meta database nor here"],
    ),
    (
        |meta| meta.connection_configs.push(config("b", ["d", "no", "r"])),
        ["connection", "b", "its credential no is neither in the meta database nor here"],
    ),
    (
        |meta| meta.connection_configs.push(config("b", ["d", "c", "no"])),
        ["connection", "b", "its region no is neither in the meta database nor here"],
    ),
    (
        |meta| meta.known.push(known(KnownKind::Network, "a", "", ".", "vpc-2")),
        ["network", ".", r#"vpc_iid_infos, the row of "." at "a": "." is no name"#],
    ),
    (
        |meta| meta.known.push(known(KnownKind::Network, "a", "", "m", "..")),
        ["network", "m", r#"vpc_iid_infos, the row of "m" at "a": ".." is no name"#],
    ),
    (
        |meta| meta.known.push(known(KnownKind::Network, "a", "", "m", &"v".repeat(1025))),
        ["network", "m", r#"vpc_iid_infos, the row of "m" at "a": 1025 bytes are too many for a name"#],
    ),
    (
        |meta| meta.known.push(known(KnownKind::Network, "a", "", "a\u{7}", "vpc-2")),
        [
            "network",
            "a\u{7}",
            "vpc_iid_infos, the row of \"a\\u{7}\" at \"a\": must hold no control characters",
        ],
    ),
    (
        |meta| meta.connection_configs.push(config("a/b", ["d", "c", "r"])),
        ["connection", "a/b", r#"connection_config_infos, the row of "a/b": must hold no slash"#],
    ),
    (
        |meta| meta.known.push(known(KnownKind::Cluster, "a", "n", "again", "k-1")),
        [
            "cluster",
            "again",
            r#"cluster_iid_infos, the row of "again" at "a": the row of "k" is of the same k-1"#,
        ],
    ),
    (
        |meta| meta.known.push(known(KnownKind::NodeGroup, "a", "k", "again", "g-1")),
        [
            "node group",
            "again",
            r#"node_group_iid_infos, the row of "again" at "a": the row of "g" is of the same g-1"#,
        ],
    ),
    (
        |meta| meta.known.push(known(KnownKind::Network, "none", "", "m", "vpc-2")),
        ["network", "m", "its connection none is not in the meta database"],
    ),
    (
        |meta| meta.known.push(known(KnownKind::Subnet, "a", "no", "t", "subnet-2")),
        ["subnet", "t", "its network no is neither in the meta database nor here"],
    ),
    (
        |meta| meta.known.push(known(KnownKind::NodeGroup, "a", "no", "h", "h-1")),
        ["node group", "h", "its cluster no is neither in the meta database nor here"],
    ),
    (
        |meta| meta.known.push(known(KnownKind::NodeGroup, "a", "k", "..", "h-1")),
        ["node group", "..", r#"node_group_iid_infos, the row of ".." at "a": ".." is no name"#],
    ),
];

#[tokio::test]
async fn a_bad_row_is_one_line_of_the_plan_and_left_out() {
    for (add, [kind, name, why]) in BAD {
        let mut meta = good();
        add(&mut meta);
        let steps = planned(&meta, &[]).await;
        let (bad, good): (Vec<_>, Vec<_>) =
            said(&steps).into_iter().partition(|row| row[0] == *kind && row[1] == *name);
        assert_eq!(bad, [[*kind, *name, "left out", *why]]);
        assert_eq!(good, GOOD, "{why}");
        let groups = steps.all().iter().find_map(Step::cluster).unwrap().1;
        assert_eq!(groups.len(), 1, "the cluster is asked for with what can come: {why}");
    }
}

#[tokio::test]
async fn what_hangs_on_a_row_that_cannot_be_read_is_left_out() {
    let mut meta = good();
    meta.regions.clear();
    meta.unreadable.push(unreadable(RowKind::Region, "", "r"));
    let rows = said(&planned(&meta, &[]).await);
    assert_eq!(rows[3], ["connection", "a", "left out", "its region r is left out, and is not here"]);
    assert_eq!(rows[4], ["network", "n", "left out", "its connection a was not taken over"]);

    let mut meta = good();
    meta.connection_configs.clear();
    meta.unreadable.push(unreadable(RowKind::ConnectionConfig, "", "a"));
    let rows = said(&planned(&meta, &[]).await);
    assert_eq!(rows[4], ["network", "n", "left out", "its connection a cannot be read"]);

    let mut meta = good();
    meta.known.retain(|known| !matches!(known.kind, KnownKind::Network | KnownKind::Cluster));
    meta.unreadable.push(unreadable(RowKind::Known(KnownKind::Network), "a", "n"));
    meta.unreadable.push(unreadable(RowKind::Known(KnownKind::Cluster), "a", "k"));
    let rows = said(&planned(&meta, &[]).await);
    assert_eq!(rows[5], ["subnet", "s", "left out", "its network n is left out, and is not here"]);
    assert_eq!(rows[7], ["node group", "g", "left out", "its cluster k is left out, and is not here"]);
}

#[tokio::test]
async fn connections_with_names_of_people_are_planned_with_all_that_hangs_on_them() {
    for name in ["서울 (운영)", "aws-(ohio)us-east-2-and-more-than-sixty-three-letters-of-a-long-name", "--x"]
    {
        let mut meta = good();
        meta.connection_configs[0].name = name.to_owned();
        for known in &mut meta.known {
            known.connection = name.to_owned();
        }
        let rows = said(&planned(&meta, &[]).await);
        assert!(rows.iter().all(|row| row[2] == "to be taken over"), "{name}: {rows:?}");
    }
}

#[tokio::test]
async fn what_is_here_by_another_spelling_of_its_provider_is_no_other() {
    let mut meta = good();
    meta.drivers[0].provider = "aws".to_owned();
    let there =
        |provider: &str| json!({"DriverName": "d", "ProviderName": provider, "DriverLibFileName": "aws.so"});
    let rows = said(&planned(&meta, &[("/spider/driver/d", there("AWS"))]).await);
    assert_eq!(rows[0], ["driver", "d", "is here already", ""]);
    let rows = said(&planned(&meta, &[("/spider/driver/d", there("GCP"))]).await);
    assert_eq!(rows[0][3], "with another ProviderName; it is left as it is");
}

#[tokio::test]
async fn a_connection_is_of_its_drivers_provider() {
    let mut meta = good();
    meta.connection_configs[0].provider = "NCP".to_owned();
    assert_eq!(said(&planned(&meta, &[]).await)[4][2], "to be taken over");
    meta.drivers[0].provider = "NCP".to_owned();
    let rows = said(&planned(&meta, &[]).await);
    assert_eq!(rows[4][2..], ["left out", "there is no driver for NCP"]);
}

#[test]
fn only_what_is_said_to_be_missing_is_gone() {
    let refused = |fields: &[(&str, bool)]| {
        let mut error = Error::usage("refused");
        if let Error::Problem(problem) = &mut error {
            let finding = |(field, gone): &(&str, bool)| {
                let missing = pmks_api::Missing { kind: "network".to_owned(), name: "vpc-1".to_owned() };
                Finding {
                    field: (*field).to_owned(),
                    says: "there is none".to_owned(),
                    missing: gone.then_some(missing),
                }
            };
            problem.findings = fields.iter().map(finding).collect();
        }
        ended_by(&error).0
    };
    assert_eq!(refused(&[("systemId", true)]), Standing::Gone);
    for other in
        [&[][..], &[("systemId", false)], &[("network", true)], &[("systemId", true), ("name", false)]]
    {
        assert_eq!(refused(other), Standing::Failed, "{other:?}");
    }
}

#[test]
fn only_who_is_not_answered_stops() {
    let unanswered = Error::new(pmks_model::FailureKind::Unavailable, "no answer");
    assert!(nobody_answers(&unanswered));
    let Error::Problem(mut of_a_cloud) = unanswered else { unreachable!() };
    of_a_cloud.status = 503;
    assert!(!nobody_answers(&Error::Problem(of_a_cloud)));
}
