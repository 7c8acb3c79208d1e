//! A world with a network and the two roles, and calls to EKS in it without signatures.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use pmks_simulation::kubernetes::{Authority, AuthoritySnapshot, ClusterEndpoint};
use pmks_simulation::{Effect, Effects, Now, World as _};
use serde_json::{Value, json};

use crate::context::{Caller, Context};
use crate::ec2::{Association, Cidr, InternetGateway, Route, RouteTable, Subnet, Vpc};
use crate::eks;
use crate::eks::state::Status;
use crate::error::Result;
use crate::iam;
use crate::query::Query;
use crate::world::{Place, Tags, World};
use crate::xml::Xml;

static AUTHORITY: LazyLock<AuthoritySnapshot> =
    LazyLock::new(|| Authority::new(Timestamp::UNIX_EPOCH).unwrap().snapshot());

pub(super) struct Rig {
    pub(super) world: World,
    pub(super) place: Place,
    pub(super) now: Now,
    pub(super) caller: Caller,
}

impl Rig {
    pub(super) fn new() -> Self {
        let world = World::new(7);
        let account = world.accounts.keys().next().unwrap().clone();
        let place = Place { account: account.clone(), region: "ap-northeast-2".to_owned() };
        let key = world.accounts[&account].iam.first_key().unwrap().0.to_owned();
        let caller = world.access_key(&key).unwrap().caller;
        let now = Now { wall: "2026-11-23T10:00:00Z".parse().unwrap(), work: Duration::ZERO };
        let mut rig = Self { world, place, now, caller };
        rig.make_role("cluster", "eks.amazonaws.com", &["AmazonEKSClusterPolicy"]);
        rig.make_role("node", "ec2.amazonaws.com", &["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"]);
        rig.make_network();
        rig
    }

    pub(super) fn role(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.place.account)
    }

    pub(super) fn make_role(&mut self, name: &str, service: &str, policies: &[&str]) {
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        ]});
        let role = iam::Role {
            name: name.to_owned(),
            id: format!("AROA{}", name.to_uppercase()),
            arn: self.role(name),
            path: "/".to_owned(),
            trust: trust.to_string(),
            description: None,
            max_session_seconds: 3600,
            attached: policies.iter().map(|policy| format!("arn:aws:iam::aws:policy/{policy}")).collect(),
            inline: BTreeMap::new(),
            tags: Tags::new(),
            created: self.now.wall,
            known_from: self.now.work,
        };
        let account = self.place.account.clone();
        self.world.account_mut(&account).iam.roles.insert(name.to_owned(), role);
    }

    fn make_network(&mut self) {
        let created = self.now.wall;
        let ec2 = &mut self.world.region_mut(&self.place).ec2;
        let vpc = Vpc {
            id: "vpc-1".to_owned(),
            cidr: "10.0.0.0/16".parse().unwrap(),
            association_id: "vpc-cidr-assoc-1".to_owned(),
            dns_support: true,
            dns_hostnames: true,
            tags: Tags::new(),
            created,
        };
        ec2.vpcs.insert(vpc.id.clone(), vpc);
        for (number, zone) in [(1, "a"), (2, "b"), (3, "a")] {
            let subnet = Subnet {
                id: format!("subnet-{number}"),
                vpc: "vpc-1".to_owned(),
                cidr: format!("10.0.{number}.0/24").parse::<Cidr>().unwrap(),
                zone: format!("ap-northeast-2{zone}"),
                map_public_ip: true,
                tags: Tags::new(),
                created,
            };
            ec2.subnets.insert(subnet.id.clone(), subnet);
        }
        let gateway = InternetGateway {
            id: "igw-1".to_owned(),
            vpc: Some("vpc-1".to_owned()),
            tags: Tags::new(),
            created,
        };
        ec2.internet_gateways.insert(gateway.id.clone(), gateway);
        let table = RouteTable {
            id: "rtb-1".to_owned(),
            vpc: "vpc-1".to_owned(),
            routes: vec![Route { destination: "0.0.0.0/0".parse().unwrap(), gateway: "igw-1".to_owned() }],
            associations: vec![Association { id: "rtbassoc-1".to_owned(), subnet: None }],
            client_token: None,
            tags: Tags::new(),
            created,
        };
        ec2.route_tables.insert(table.id.clone(), table);
    }

    /// One call; status, the error's name (empty if it went well) and the body.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "calls read better with a literal than with a reference to one"
    )]
    pub(super) fn call_with(
        &mut self,
        effects: Vec<Effect>,
        method: &str,
        path: &str,
        body: Value,
    ) -> Answer {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = http::Request::builder().method(method).uri(path).body(body).unwrap();
        let effects = Effects::of(effects);
        let mut context = Context {
            world: &mut self.world,
            place: self.place.clone(),
            caller: self.caller.clone(),
            now: self.now,
            effects: &effects,
            request_id: "request".to_owned(),
        };
        let response = eks::handle(&mut context, &request);
        let code = response.headers().get("x-amzn-errortype").map(|code| code.to_str().unwrap().to_owned());
        Answer {
            status: response.status().as_u16(),
            code: code.unwrap_or_default(),
            body: serde_json::from_slice(response.body()).unwrap(),
        }
    }

    pub(super) fn call(&mut self, method: &str, path: &str, body: Value) -> Answer {
        self.call_with(Vec::new(), method, path, body)
    }

    pub(super) fn get(&mut self, path: &str) -> Value {
        let answer = self.call("GET", path, Value::Null);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// One call of Auto Scaling.
    pub(super) fn auto_scaling(&mut self, form: &str) -> Result<Xml> {
        let query = Query::read(form.as_bytes());
        let effects = Effects::default();
        let mut context = Context {
            world: &mut self.world,
            place: self.place.clone(),
            caller: self.caller.clone(),
            now: self.now,
            effects: &effects,
            request_id: "request".to_owned(),
        };
        crate::auto_scaling::handle(&mut context, query.get("Action").unwrap_or_default(), &query)
    }

    /// Lets work time pass; the date goes with it.
    pub(super) fn pass(&mut self, seconds: u64) {
        let by = Duration::from_secs(seconds);
        self.now.work += by;
        self.now.wall = self.now.wall.checked_add(by).unwrap();
        self.world.settle(self.now);
        self.start_endpoints();
    }

    /// In these tests nothing listens: a cluster that stands is given an endpoint on paper.
    fn start_endpoints(&mut self) {
        for cluster in self.world.region_mut(&self.place).eks.clusters.values_mut() {
            if cluster.status == Status::Active && cluster.endpoint.is_none() {
                cluster.endpoint = Some(ClusterEndpoint {
                    url: "https://127.0.0.1:1".to_owned(),
                    port: 1,
                    certificate_authority: "Q0E=".to_owned(),
                    authority: AUTHORITY.clone(),
                });
            }
        }
    }

    pub(super) fn cluster_request(&self, name: &str) -> Value {
        json!({
            "name": name,
            "version": "1.34",
            "roleArn": self.role("cluster"),
            "resourcesVpcConfig": {"subnetIds": ["subnet-1", "subnet-2"]},
            "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
        })
    }

    /// A cluster that stands.
    pub(super) fn cluster(&mut self, name: &str) {
        let request = self.cluster_request(name);
        assert_eq!(self.call("POST", "/clusters", request).status, 200);
        self.pass(660);
        assert_eq!(self.get(&format!("/clusters/{name}"))["cluster"]["status"], "ACTIVE");
    }

    pub(super) fn node_group_request(&self, name: &str) -> Value {
        json!({
            "nodegroupName": name,
            "nodeRole": self.role("node"),
            "subnets": ["subnet-1", "subnet-2"],
            "scalingConfig": {"minSize": 1, "maxSize": 4, "desiredSize": 2},
            "tags": {"team": "blue"},
        })
    }

    /// A node group that stands, in the cluster `one`.
    pub(super) fn node_group(&mut self, name: &str) {
        let request = self.node_group_request(name);
        let answer = self.call("POST", "/clusters/one/node-groups", request);
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.pass(240);
        assert_eq!(self.group(name)["status"], "ACTIVE");
    }

    pub(super) fn group(&mut self, name: &str) -> Value {
        self.get(&format!("/clusters/one/node-groups/{name}"))["nodegroup"].clone()
    }

    /// Machines that run.
    pub(super) fn running(&self) -> usize {
        let ec2 = &self.world.region(&self.place).ec2;
        ec2.instances.values().filter(|instance| instance.state.written().1 == "running").count()
    }
}

/// What a call answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn refused(&self, code: &str, words: &str) {
        assert_eq!(self.code, code, "{}", self.body);
        let message = self.body["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
}
