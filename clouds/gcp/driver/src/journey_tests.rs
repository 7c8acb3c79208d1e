//! Whole ways through the driver against a Google of canned answers: which calls go where, what they carry, and what is
//! made of the answers. What Google does with them is the simulator's to say.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use pmks_driver::{
    Change, Detail, Driver, Environment, FoundState, House, Look, Outputs, Poll, PrerequisiteState, Provider,
    StageContext,
};
use pmks_model::Status;
use pmks_transport::{SystemClock, Transport};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Gcp;
use crate::identity::tests::KEY;

/// What was sent: `METHOD /path`, the query, the bearer token, the body.
#[derive(Clone, Debug)]
struct Heard {
    call: String,
    query: String,
    token: String,
    body: String,
}

/// Answers of each call, in order; the last one stays.
type Answers = BTreeMap<String, VecDeque<(u16, Value)>>;

#[derive(Clone, Default)]
struct Google {
    url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    answers: Arc<Mutex<Answers>>,
}

impl Google {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let google = Self { url, ..Self::default() };
        let serving = google.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let google = serving.clone();
                tokio::spawn(async move { google.serve(stream).await });
            }
        });
        google.on(
            "POST /token",
            200,
            json!({"access_token": "t0k", "expires_in": 3599, "token_type": "Bearer"}),
        )
    }

    fn on(self, call: &str, status: u16, answer: Value) -> Self {
        self.answers.lock().unwrap().entry(call.to_owned()).or_default().push_back((status, answer));
        self
    }

    fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    fn calls(&self) -> Vec<String> {
        let mut calls: Vec<String> = self.heard().into_iter().map(|heard| heard.call).collect();
        calls.sort();
        calls
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 16_384];
        let (head, body) = loop {
            let read = stream.read(&mut buffer).await.unwrap();
            if read == 0 {
                return;
            }
            bytes.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = header(head, "content-length").parse().unwrap_or(0);
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        };
        let line: Vec<&str> = head.lines().next().unwrap().split(' ').collect();
        let (path, query) = line[1].split_once('?').unwrap_or((line[1], ""));
        let call = format!("{} {path}", line[0]);
        let token = header(&head, "authorization").trim_start_matches("Bearer ").to_owned();
        self.heard.lock().unwrap().push(Heard { call: call.clone(), query: query.to_owned(), token, body });
        let (status, answer) = self.answer(&call);
        let answer = answer.to_string();
        let first = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            answer.len()
        );
        stream.write_all(format!("{first}{answer}").as_bytes()).await.unwrap();
    }

    fn answer(&self, call: &str) -> (u16, Value) {
        let mut answers = self.answers.lock().unwrap();
        match answers.get_mut(call) {
            Some(queue) if queue.len() > 1 => queue.pop_front().unwrap(),
            Some(queue) => queue.front().unwrap().clone(),
            None => {
                (404, json!({"error": {"code": 404, "status": "NOT_FOUND", "message": format!("no {call}")}}))
            }
        }
    }

    async fn driver(&self) -> Arc<dyn Driver> {
        self.driver_with(json!({})).await
    }

    async fn driver_with(&self, settings: Value) -> Arc<dyn Driver> {
        let connection = json!({
            "name": "c", "region": "asia-northeast3", "zone": "asia-northeast3-a", "endpoints": {"all": self.url},
            "caCertificate": null, "pace": 1000, "settings": settings, "credential":
                {"clientEmail": "a@proj.iam.gserviceaccount.com", "privateKey": KEY, "projectId": "proj"},
        });
        let house = House {
            transport: Transport::builder(Arc::new(SystemClock)).build(),
            environment: Environment::default(),
            installation: "i".to_owned(),
        };
        Gcp.connect(&serde_json::from_value(connection).unwrap(), &house).await.unwrap()
    }
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).unwrap_or_default()
}

fn context(token: &str) -> StageContext {
    let now = "2026-11-28T00:00:00Z".parse::<Timestamp>().unwrap();
    StageContext {
        outputs: Outputs::default(),
        token: token.to_owned(),
        baseline: None,
        system_id: None,
        incarnation: None,
        started_at: now,
        now,
        pace: 1000,
    }
}

const CONTAINER: &str = "/v1/projects/proj/locations/asia-northeast3-a";
const COMPUTE: &str = "/compute/v1/projects/proj";
const ENABLED: &str = "ENABLED";

fn marks() -> Value {
    json!({"installation": "i", "operation": "o", "uid": "u"})
}

fn labels() -> Value {
    json!({"pmks-installation": "i", "pmks-operation": "o", "pmks-uid": "u", "team": "a"})
}

fn cluster(status: &str) -> Value {
    json!({"name": "c1", "id": "abc", "status": status, "location": "asia-northeast3-a", "resourceLabels": labels(),
        "currentMasterVersion": "1.33.5-gke.1", "network": "net", "subnetwork": "sn", "endpoint": "203.0.113.9",
        "masterAuth": {"clusterCaCertificate": "QQ=="}, "nodePools": [{"name": "ga", "status": status,
        "version": "1.33.5-gke.1", "initialNodeCount": 1, "locations": ["asia-northeast3-a"],
        "config": {"machineType": "e2-medium", "imageType": "COS_CONTAINERD", "resourceLabels": labels()},
        "instanceGroupUrls": [format!("https://www.googleapis.com{COMPUTE}/zones/asia-northeast3-a/instanceGroupManagers/gke-c1-ga-grp")]}]})
}

/// A project in which everything for a cluster is there.
async fn ready() -> Google {
    let zones = ["a", "b", "c"].map(|zone| format!("https://x/{COMPUTE}/zones/asia-northeast3-{zone}"));
    let service = |service: &str| format!("GET /v1/projects/proj/services/{service}.googleapis.com");
    let google = Google::start().await;
    google
        .on(&service("container"), 200, json!({"state": ENABLED, "parent": "projects/123"}))
        .on(&service("compute"), 200, json!({"state": ENABLED, "parent": "projects/123"}))
        .on(&format!("GET {COMPUTE}/regions/asia-northeast3"), 200, json!({"name": "asia-northeast3", "zones": zones,
            "quotas": [{"metric": "CPUS", "limit": 24.0, "usage": 0.0}]}))
        .on(&format!("GET {COMPUTE}/regions/asia-northeast3/subnetworks/sn"), 200, json!({"name": "sn", "id": "7",
            "network": format!("https://x{COMPUTE}/global/networks/net"), "ipCidrRange": "10.0.0.0/24"}))
        .on(&format!("GET {CONTAINER}/serverConfig"), 200, json!({"defaultClusterVersion": "1.33.5-gke.1",
            "validMasterVersions": ["1.33.5-gke.1"], "validNodeVersions": ["1.33.5-gke.1"],
            "defaultImageType": "COS_CONTAINERD", "validImageTypes": ["COS_CONTAINERD", "UBUNTU_CONTAINERD"],
            "channels": [{"channel": "REGULAR", "defaultVersion": "1.33.5-gke.1", "validVersions": ["1.33.5-gke.1"]}]}))
        .on(&format!("GET {COMPUTE}/zones/asia-northeast3-a/machineTypes/e2-medium"), 200,
            json!({"name": "e2-medium", "guestCpus": 2, "memoryMb": 4096}))
}

fn creation() -> Change {
    let iid = |name: &str| json!({"nameId": name, "systemId": name});
    serde_json::from_value(json!({"change": "createCluster", "asked": {"marks": marks(), "request": {
        "name": "c1", "network": iid("net"), "subnets": [iid("sn")], "securityGroups": [iid("web")],
        "tags": {"team": "a"}, "nodeGroups": [{"name": "ga", "machineType": "e2-medium", "rootDiskType": "pd-ssd",
            "rootDiskSizeGib": 50, "scaling": {"autoScaling": true, "min": 1, "max": 3, "desired": 1}}]}}}))
    .unwrap()
}

#[tokio::test]
async fn a_cluster_is_made_by_one_call_and_followed_to_its_end() {
    let google = ready()
        .await
        .on(&format!("POST {CONTAINER}/clusters"), 200, json!({"name": "operation-1", "status": "RUNNING"}))
        .on(
            &format!("GET {CONTAINER}/operations/operation-1"),
            200,
            json!({"name": "operation-1", "status": "RUNNING"}),
        )
        .on(
            &format!("GET {CONTAINER}/operations/operation-1"),
            200,
            json!({"name": "operation-1", "status": "DONE"}),
        );
    let driver = google.driver().await;
    let prepared = driver.prepare(&creation()).await.unwrap();
    let names: Vec<&str> = prepared.plan.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["cluster", "census"]);
    let prepared_with = google.heard();
    assert!(
        prepared_with.iter().all(|heard| heard.call == "POST /token" || heard.token == "t0k"),
        "{prepared_with:?}"
    );
    assert_eq!(prepared_with.iter().filter(|heard| heard.call == "POST /token").count(), 1);
    assert!(prepared_with.iter().all(|heard| heard.call.starts_with("GET ") || heard.call == "POST /token"));

    let stage = driver.stage(&prepared.plan.stages[0]).unwrap();
    let context = context("o-cluster-1");
    assert!(matches!(stage.look(&context).await.unwrap(), Look::Absent));
    google.heard();
    let asked = stage.ask(&context).await.unwrap();
    assert_eq!(asked.system_id.as_deref(), Some("projects/proj/locations/asia-northeast3-a/clusters/c1"));
    let heard = google.heard();
    assert_eq!(heard.len(), 1, "{heard:?}");
    let body: Value = serde_json::from_str(&heard[0].body).unwrap();
    assert_eq!(
        body,
        json!({"cluster": {"name": "c1", "initialClusterVersion": "1.33.5-gke.1", "releaseChannel": {"channel": "REGULAR"},
            "network": "net", "subnetwork": "sn", "locations": ["asia-northeast3-a"],
            "ipAllocationPolicy": {"useIpAliases": true}, "resourceLabels": labels(), "nodePools": [{
                "name": "ga", "initialNodeCount": 1, "locations": ["asia-northeast3-a"],
                "config": {"machineType": "e2-medium", "imageType": "COS_CONTAINERD", "diskType": "pd-ssd",
                    "diskSizeGb": 50, "tags": ["web"], "resourceLabels": labels()},
                "autoscaling": {"enabled": true, "minNodeCount": 1, "maxNodeCount": 3},
                "management": {"autoUpgrade": true, "autoRepair": true}}]}})
    );
    let handle = asked.handle.unwrap();
    assert!(matches!(stage.poll(&context, &handle).await.unwrap(), Poll::Pending { .. }));
    assert!(matches!(stage.poll(&context, &handle).await.unwrap(), Poll::Done(_)));
    let google = google.on(&format!("GET {CONTAINER}/clusters/c1"), 200, cluster("RUNNING"));
    let Look::Present(found) = stage.look(&context).await.unwrap() else { panic!("it stands") };
    assert_eq!(found.incarnation, "abc");
    assert!(matches!(found.state, FoundState::Ready(_)));
    drop(google);
}

#[tokio::test]
async fn a_list_with_nodes_costs_three_calls_and_tells_live_sizes() {
    let zone = "zones/asia-northeast3-a";
    let google = ready()
        .await
        .on("GET /v1/projects/proj/locations/-/clusters", 200, json!({"clusters": [cluster("RUNNING")]}))
        .on(&format!("GET {COMPUTE}/aggregated/instanceGroupManagers"), 200, json!({"items": {zone: {
            "instanceGroupManagers": [{"name": "gke-c1-ga-grp", "zone": format!("https://x{COMPUTE}/{zone}"),
                "baseInstanceName": "gke-c1-ga-0a1b", "targetSize": 2}]}}}))
        .on(&format!("GET {COMPUTE}/aggregated/instances"), 200, json!({"items": {zone: {"instances": [
            {"name": "gke-c1-ga-0a1b-x1", "id": "1", "status": "RUNNING", "zone": format!("https://x{COMPUTE}/{zone}"),
                "labels": {"goog-gke-node": ""}}]}}}));
    let driver = google.driver().await;
    let listed = driver.list_clusters(Detail::Nodes).await.unwrap();
    assert!(listed.missed.is_empty(), "{:?}", listed.missed);
    let found = &listed.items[0];
    assert_eq!(
        (found.status, found.version.as_ref().unwrap().to_string()),
        (Status::Active, "1.33.5-gke.1".to_owned())
    );
    assert_eq!(found.node_groups[0].scaling.unwrap().desired, 2);
    assert_eq!(
        google.calls(),
        [
            format!("GET {COMPUTE}/aggregated/instanceGroupManagers"),
            format!("GET {COMPUTE}/aggregated/instances"),
            "GET /v1/projects/proj/locations/-/clusters".to_owned(),
            "POST /token".to_owned(),
        ]
    );
    let identity = driver.account_identity().await.unwrap();
    assert_eq!(identity.account, "123/proj");
}

#[tokio::test]
async fn a_place_that_google_does_not_have_is_no_account_and_one_that_it_has_is_asked_for_once() {
    let region = format!("GET {COMPUTE}/regions/asia-northeast3");
    let answers = |google: &Google, status: u16, answer: Value| {
        google.answers.lock().unwrap().insert(region.clone(), VecDeque::from([(status, answer)]));
    };
    let google = ready().await;
    let message = "Invalid value for field 'region': 'asia-northeast3'. Unknown region.";
    answers(
        &google,
        400,
        json!({"error": {"code": 400, "message": message, "errors": [{"reason": "invalid"}]}}),
    );
    let driver = google.driver().await;
    let error = driver.account_identity().await.unwrap_err();
    assert!(error.message().contains("region: \"asia-northeast3\" is no region"), "{error}");
    answers(&google, 200, json!({"name": "asia-northeast3", "zones": ["https://x/zones/asia-northeast3-b"]}));
    let error = driver.account_identity().await.unwrap_err();
    assert!(error.message().contains("zone: \"asia-northeast3-a\" is no zone"), "{error}");
    answers(&google, 200, json!({"name": "asia-northeast3", "zones": ["https://x/zones/asia-northeast3-a"]}));
    driver.account_identity().await.unwrap();
    google.heard();
    driver.account_identity().await.unwrap();
    assert_eq!(google.calls(), ["GET /v1/projects/proj/services/container.googleapis.com"]);
}

/// Who may not act for an account is told what to grant, and that the credential is not what is wrong.
#[tokio::test]
async fn a_denied_impersonation_names_the_role_that_allows_it() {
    let email = "b@proj.iam.gserviceaccount.com";
    let google = ready().await.on(
        &format!("POST /v1/projects/-/serviceAccounts/{}:generateAccessToken", email.replace('@', "%40")),
        403,
        json!({"error": {"code": 403, "status": "PERMISSION_DENIED",
            "message": "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."}}),
    );
    let driver = google.driver_with(json!({"impersonateServiceAccount": email})).await;
    let error = driver.account_identity().await.unwrap_err();
    let failure = error.to_failure();
    let fix = failure.fix.unwrap_or_default();
    assert!(fix.contains("roles/iam.serviceAccountTokenCreator") && fix.contains(email), "{fix}: {error}");
    let prerequisites = driver.prerequisites(None).await.unwrap();
    let credential = prerequisites.iter().find(|one| one.name == "credential").unwrap();
    assert!(matches!(credential.state, PrerequisiteState::Missing { .. }), "{credential:?}");
}

#[tokio::test]
async fn a_size_that_is_left_to_the_autoscaler_is_said_and_limits_that_no_size_meets_are_refused() {
    let mut standing = cluster("RUNNING");
    standing["nodePools"][0]["autoscaling"] = json!({"enabled": true, "minNodeCount": 1, "maxNodeCount": 5});
    let group = json!({"name": "gke-c1-ga-grp", "zone": "https://x/zones/asia-northeast3-a",
        "baseInstanceName": "gke-c1-ga-0a1b", "targetSize": 3});
    let google = ready().await.on(&format!("GET {CONTAINER}/clusters/c1"), 200, standing.clone()).on(
        &format!("GET {COMPUTE}/aggregated/instanceGroupManagers"),
        200,
        json!({"items": {"zones/asia-northeast3-a": {"instanceGroupManagers": [group]}}}),
    );
    let driver = google.driver().await;
    let id = "projects/proj/locations/asia-northeast3-a/clusters/c1";
    let change = |change: Value| -> Change {
        serde_json::from_value(json!({"change": "changeNodeGroupScaling", "asked": {"marks": marks(),
            "target": {"cluster": {"iid": {"nameId": "c1", "systemId": id}, "incarnation": "abc"},
                "iid": {"nameId": "ga", "systemId": "ga"}, "incarnation": "abc"}, "change": change}}))
        .unwrap()
    };
    let lone = driver.prepare(&change(json!({"desired": 1}))).await.unwrap_err();
    assert!(lone.message().contains("--auto-scaling false"), "{lone}");
    let prepared = driver.prepare(&change(json!({"min": 1, "max": 5, "desired": 1}))).await.unwrap();
    assert!(prepared.notices.iter().any(|notice| notice.contains("left to the autoscaler")), "{prepared:?}");
    let prepared = driver.prepare(&change(json!({"min": 1, "max": 5, "desired": 3}))).await.unwrap();
    assert!(prepared.notices.is_empty(), "{prepared:?}");
    assert_eq!(prepared.resolved["scaling"], "autoscaling on, from 1 to 5");
    let off = driver.prepare(&change(json!({"autoScaling": false, "desired": 2}))).await.unwrap();
    assert_eq!(off.resolved["scaling"], "autoscaling off, 2 nodes");
    let mut wide = standing;
    wide["nodePools"][0]["locations"] =
        json!(["asia-northeast3-a", "asia-northeast3-b", "asia-northeast3-c"]);
    google
        .answers
        .lock()
        .unwrap()
        .insert(format!("GET {CONTAINER}/clusters/c1"), VecDeque::from([(200, wide)]));
    let error = driver.prepare(&change(json!({"min": 4, "max": 5}))).await.unwrap_err();
    assert!(error.message().contains("scaling.max: no size from 4 to 5 is a multiple of 3"), "{error}");
}

#[tokio::test]
async fn a_lost_insert_is_sent_again_as_the_same_request() {
    let google = ready()
        .await
        .on(&format!("GET {COMPUTE}/global/networks"), 200, json!({}))
        .on(&format!("GET {COMPUTE}/regions/asia-northeast3/subnetworks"), 200, json!({}))
        .on(
            &format!("POST {COMPUTE}/global/networks"),
            200,
            json!({"name": "operation-2", "status": "RUNNING", "targetId": "99"}),
        );
    let driver = google.driver().await;
    let change = json!({"change": "createNetwork", "asked": {"marks": marks(), "subnetUids": {},
        "request": {"name": "net", "cidr": "10.0.0.0/16", "subnets": []}}});
    let prepared = driver.prepare(&serde_json::from_value(change).unwrap()).await.unwrap();
    let stage = driver.stage(&prepared.plan.stages[0]).unwrap();
    google.heard();
    for _ in 0..2 {
        let asked = stage.ask(&context("o-network-1")).await.unwrap();
        assert_eq!(asked.incarnation.as_deref(), Some("99"));
    }
    stage.ask(&context("o-network-2")).await.unwrap();
    let queries: Vec<String> = google.heard().into_iter().map(|heard| heard.query).collect();
    assert!(queries[0].starts_with("requestId="), "{queries:?}");
    assert_eq!(queries[0], queries[1]);
    assert_ne!(queries[0], queries[2]);
}

#[tokio::test]
async fn node_groups_of_an_autopilot_cluster_are_refused_before_anything_is_asked() {
    let mut standing = cluster("RUNNING");
    standing["autopilot"] = json!({"enabled": true});
    let google = ready().await.on(&format!("GET {CONTAINER}/clusters/c1"), 200, standing);
    let driver = google.driver().await;
    let id = "projects/proj/locations/asia-northeast3-a/clusters/c1";
    let of_cluster = json!({"iid": {"nameId": "c1", "systemId": id}, "incarnation": "abc"});
    let target =
        json!({"cluster": of_cluster, "iid": {"nameId": "ga", "systemId": "ga"}, "incarnation": "abc"});
    let group = json!({"name": "gb", "scaling": {"autoScaling": false, "min": 1, "max": 1, "desired": 1}});
    for (change, mut asked) in [
        ("addNodeGroup", json!({"cluster": of_cluster, "securityGroups": [], "request": group, "tags": {}})),
        ("changeNodeGroupScaling", json!({"target": target, "change": {"desired": 2}})),
        ("upgradeNodeGroup", json!({"target": target, "version": "default", "force": false})),
        ("removeNodeGroup", json!({"target": target})),
    ] {
        asked["marks"] = marks();
        let change: Change = serde_json::from_value(json!({"change": change, "asked": asked})).unwrap();
        let error = driver.prepare(&change).await.unwrap_err();
        assert!(matches!(error.kind(), pmks_driver::ErrorKind::Precondition { .. }), "{error}");
        assert!(error.message().contains("is an Autopilot cluster"), "{error}");
    }
    let read = format!("GET {CONTAINER}/clusters/c1");
    assert!(google.calls().iter().all(|call| *call == read || call == "POST /token"));
}

#[tokio::test]
async fn what_stands_under_that_name_and_is_not_ours_is_never_touched() {
    let mut strange = cluster("RUNNING");
    strange["resourceLabels"] = json!({"pmks-operation": "another"});
    let google = ready().await.on(&format!("GET {CONTAINER}/clusters/c1"), 200, strange);
    let driver = google.driver().await;
    let error = driver.prepare(&creation()).await.unwrap_err();
    assert_eq!(*error.kind(), pmks_driver::ErrorKind::AlreadyExists, "{error}");
    assert!(google.calls().iter().all(|call| call.starts_with("GET ") || call == "POST /token"));
}

/// Google gives a token and takes it no more, as where the service account was disabled meanwhile.
#[tokio::test]
async fn a_token_that_google_refuses_is_the_credentials_fault() {
    let google = Google::start().await;
    let refusal = json!({"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "Request had invalid \
        authentication credentials.", "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_EXPIRED", "domain": "googleapis.com"}]}});
    let service = |service: &str| format!("GET /v1/projects/proj/services/{service}.googleapis.com");
    let another = json!({"access_token": "t1k", "expires_in": 3599, "token_type": "Bearer"});
    let google = google.on("POST /token", 200, another).on(&service("container"), 401, refusal.clone()).on(
        &service("compute"),
        401,
        refusal,
    );
    let driver = google.driver().await;
    let all = driver.prerequisites(None).await.unwrap();
    let [credential, compute, container] = all.as_slice() else { panic!("{all:?}") };
    let missing =
        matches!(&credential.state, PrerequisiteState::Missing { what } if what[0].contains("invalid auth"));
    assert!(missing, "{credential:?}");
    for api in [compute, container] {
        let unknown =
            matches!(&api.state, PrerequisiteState::Unknown { why } if why.contains("invalid auth"));
        assert!(unknown && api.fix.is_none(), "{api:?}");
    }
    // Both were refused with the same token: one new one for both, and each was asked for once more.
    let calls = google.calls();
    let count = |call: &str| calls.iter().filter(|seen| *seen == call).count();
    assert_eq!((count("POST /token"), count(&service("compute")), count(&service("container"))), (2, 2, 2));
    driver.prerequisites(None).await.unwrap();
    assert_eq!(google.calls().len(), 2, "the new one is refused as well: nothing is doubled any more");
}
