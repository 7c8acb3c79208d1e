//! The driver of the scripted cloud: plans that a test writes, stages over the ground truth.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::*;
use pmks_model::{
    Children, Cluster, Image, KeyPair, KubernetesVersion, MachineType, NameRule, Network, Node, NodeGroup,
    OperationKind, Region, SecurityGroup, Status, Subnet,
};
use pmks_transport::Lane;
use serde_json::json;

use super::cloud::{Cloud, Fault, Part, Thing, error};
use crate::engine::{Connected, Drivers};

const ANY: NameRule = NameRule { pattern: "^.+$", says: "anything" };

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    provider: "fake",
    title: "Fake",
    services: &[],
    first_region: "home",
    credential_forms: &[],
    settings: &[],
    cluster_options: &[],
    operations: &OperationKind::ALL,
    cluster_name: ANY,
    node_group_name: ANY,
    network_name: ANY,
    subnet_name: ANY,
    security_group_name: ANY,
    key_pair_name: ANY,
    unique_names: pmks_driver::UniqueNames::all(pmks_model::UniqueName::of(40)),
    tags: None,
    node_groups_at_creation: NodeGroupsAtCreation { presence: Presence::Optional, most: 9 },
    minimum_subnets: 0,
    minimum_zones: 0,
    most_subnets: None,
    zonal_subnets: true,
    network_addresses: true,
    tagged: &[],
    security_groups: Presence::Optional,
    image: pmks_model::ImageKind::Fixed,
    root_disk: RootDisk { types: &[], default_gib: 1, min_gib: 1, max_gib: 0 },
    key_pair: KeyPairUse::Unused,
    scales_to_zero: true,
    auto_scaling: AutoScaling { managed: true, keeps_limits: true, says: "" },
    token: TokenKind::Bearer,
    token_reach: TokenReach::Cluster,
    native_kubeconfig: false,
    static_kubeconfig: false,
    last_node_group: LastNodeGroup::Removable,
    upgrade: Upgrade { one_minor_at_a_time: true, node_groups_before_next_hop: true, largest_skew: 3 },
    failed_create: FailedCreate::Replace,
    progress_list: true,
    node_metrics: &[],
    metric_intervals: &[],
    buckets: &[],
    call_bounds: &[],
    visible_after: Duration::from_secs(20),
};

/// Plans by operation kind.
pub(super) type Plans = HashMap<OperationKind, Vec<StageSpecification>>;

/// The driver; cheap to make anew, as a new process does.
#[derive(Clone)]
pub(super) struct FakeDriver {
    pub(super) cloud: Arc<Cloud>,
    pub(super) plans: Arc<Plans>,
    pub(super) capabilities: Capabilities,
}

/// A stage that makes something.
pub(super) fn makes(what: &str, name: &str, mark: &str, identity: Identity) -> StageSpecification {
    let effect = match identity {
        Identity::Token { .. } => Effect::Idempotent,
        _ => Effect::Creates,
    };
    stage(format!("{what} {name}"), "fake.make", what, name, mark)
        .effect(effect)
        .identity(identity)
        .visible_after(Duration::from_secs(30))
        .expected(Duration::from_mins(1))
}

/// A stage that removes the thing of that name, or (without one) everything of that kind, one after the other.
pub(super) fn removes(what: &str, name: &str) -> StageSpecification {
    stage(format!("remove {what} {name}"), "fake.remove", what, name, "").expected(Duration::from_mins(1))
}

fn stage(title: String, kind: &str, what: &str, name: &str, mark: &str) -> StageSpecification {
    let part = Part { what: what.to_owned(), name: name.to_owned(), mark: mark.to_owned() };
    StageSpecification::new(title, kind, 1, serde_json::to_value(part).unwrap())
}

struct Calls {
    cloud: Arc<Cloud>,
    part: Part,
    identity: Identity,
    removes: bool,
}

impl Calls {
    fn meant(&self, context: &StageContext) -> Vec<Thing> {
        let seen = self.cloud.seen(&self.part).into_iter();
        let part = &self.part;
        seen.filter(|thing| match self.identity {
            _ if self.removes => part.name.is_empty() || thing.part.name == part.name,
            Identity::Baseline => context.baseline.as_ref().is_some_and(|before| !before.contains(&thing.id)),
            Identity::Tag => thing.part == *part,
            Identity::UniqueName | Identity::Token { .. } => thing.part.name == part.name,
        })
        .collect()
    }

    /// What a list said of it when it was read.
    fn listed(id: &str, list: &ProgressList) -> Option<(Thing, bool)> {
        let all: &Vec<(Thing, bool)> = list.get()?;
        all.iter().find(|(thing, _)| thing.id == id).cloned()
    }

    fn look_for_removal(things: &[Thing]) -> Look {
        match things {
            [] => Look::gone(),
            [thing, ..] if thing.going_at.is_some() => Look::pending(&thing.id, "", "going"),
            _ => Look::Absent,
        }
    }

    fn look_for_thing(&self, thing: &Thing) -> Look {
        if thing.part.mark != self.part.mark && self.identity != Identity::Baseline {
            let stranger = error(ErrorKind::AlreadyExists, "a stranger's");
            return Look::failed(&thing.id, &thing.id, stranger);
        }
        if thing.going_at.is_some() {
            return Look::pending(&thing.id, &thing.id, "going");
        }
        if thing.fails && self.cloud.is_ready(thing) {
            let failed = error(ErrorKind::Unexpected, "it came out broken");
            return Look::failed(&thing.id, &thing.id, failed);
        }
        if self.cloud.is_ready(thing) {
            return Look::ready(&thing.id, &thing.id, json!({"id": thing.id}));
        }
        Look::pending(&thing.id, &thing.id, "making")
    }
}

#[async_trait]
impl StageCalls for Calls {
    async fn look(&self, context: &StageContext) -> Result<Look> {
        if let Some(Fault::NotShown) = self.cloud.enter("look", &self.part.name)? {
            return Ok(Look::Unsure("it is not shown yet".to_owned()));
        }
        let things = self.meant(context);
        if self.removes {
            return Ok(Self::look_for_removal(&things));
        }
        Ok(match things.as_slice() {
            [] => Look::Absent,
            [thing] => self.look_for_thing(thing),
            several => Look::Several(several.iter().map(|thing| thing.id.clone()).collect()),
        })
    }

    async fn ask(&self, context: &StageContext) -> Result<Asked> {
        if self.removes {
            let first = self.meant(context).first().map(|thing| thing.id.clone());
            self.cloud.remove(&self.part, first.as_deref())?;
            return Ok(match first {
                Some(id) if self.part.name.is_empty() => Asked::following(json!({"going": id})),
                _ => Asked::accepted(),
            });
        }
        let id = match self.meant(context).iter().find(|thing| thing.fails && thing.part == self.part) {
            Some(broken) => self.cloud.repair(broken)?,
            None => self.cloud.make(&self.part, &context.token, self.identity)?,
        };
        let asked = match self.identity {
            Identity::Token { .. } => {
                Asked::following(json!({"work": id})).first_after(self.cloud.first_after)
            }
            _ => Asked::accepted(),
        };
        Ok(asked.with_system_id(&id).with_incarnation(id))
    }

    async fn poll(&self, context: &StageContext, handle: &Handle) -> Result<Poll> {
        let fault = self.cloud.enter("poll", &self.part.name)?;
        if let Some(going) = handle.0.get("going").and_then(|id| id.as_str()) {
            let things = self.meant(context);
            return Ok(if things.iter().any(|thing| thing.id == going) {
                Poll::Pending { says: "going".to_owned(), after: None }
            } else {
                Poll::Again { says: format!("{going} is gone"), after: None }
            });
        }
        let id = handle.0.get("work").and_then(|id| id.as_str()).unwrap_or_default();
        if let Some(Fault::WorkFailed(kind)) = fault {
            self.cloud.drop_thing(id);
            return Ok(Poll::Failed(error(kind, "its own work failed")));
        }
        let things = self.cloud.standing();
        Ok(match things.iter().find(|thing| thing.id == id) {
            None => Poll::Lost,
            Some(thing) if !self.cloud.is_ready(thing) => {
                Poll::Pending { says: "working".to_owned(), after: None }
            }
            Some(thing) if thing.fails => Poll::Failed(error(ErrorKind::Unexpected, "it came out broken")),
            Some(thing) => Poll::Done(json!({"id": thing.id})),
        })
    }

    fn poll_in(&self, _context: &StageContext, handle: &Handle, list: &ProgressList) -> Option<Poll> {
        let id = handle.0.get("work").and_then(|id| id.as_str())?;
        let (thing, ready) = Self::listed(id, list)?;
        Some(match (ready, thing.fails) {
            (false, _) => Poll::Pending { says: "working".to_owned(), after: None },
            (true, true) => Poll::Failed(error(ErrorKind::Unexpected, "it came out broken")),
            (true, false) => Poll::Done(json!({"id": thing.id})),
        })
    }

    fn look_in(&self, context: &StageContext, list: &ProgressList) -> Option<Look> {
        if self.removes {
            return Some(Look::gone());
        }
        let (thing, ready) = Self::listed(context.system_id.as_deref()?, list)?;
        let found = if ready { Look::ready } else { |id, other, _| Look::pending(id, other, "making") };
        Some(found(thing.id.clone(), thing.id.clone(), json!({"id": thing.id})))
    }

    async fn baseline(&self, _context: &StageContext) -> Result<Vec<String>> {
        self.cloud.enter("baseline", &self.part.name)?;
        let seen = self.cloud.seen(&self.part);
        Ok(seen.into_iter().map(|thing| thing.id).collect())
    }

    async fn remove_failed(&self, context: &StageContext) -> Result<Asked> {
        let fault = self.cloud.enter("remove_failed", &self.part.name)?;
        let things = self.meant(context);
        match things.first() {
            Some(thing) if thing.part == self.part => {
                if fault == Some(Fault::Ignored) {
                    return Ok(Asked::accepted());
                }
                self.cloud.remove(&self.part, Some(&thing.id))?;
                Ok(Asked::accepted())
            }
            _ => Err(error(ErrorKind::AlreadyExists, "not ours")),
        }
    }
}

#[async_trait]
impl Drivers for FakeDriver {
    async fn connected(&self, connection: &str) -> std::result::Result<Connected, pmks_model::Failure> {
        if connection.starts_with("slow") {
            self.cloud.enter("connected", "slow").unwrap();
            std::future::pending::<()>().await;
        }
        Ok(Connected {
            driver: Arc::new(self.clone()),
            pace: 1,
            connection: self.cloud.connection(),
            location: "here".to_owned(),
            credential_revision: 1,
        })
    }
}

impl FakeDriver {
    fn plan(&self, change: &Change) -> Result<Prepared> {
        self.cloud.enter("prepare", "")?;
        let mut stages = self.plans.get(&change.kind()).cloned().unwrap_or_default();
        for stage in &mut stages {
            // A name of its own for each operation.
            if let (Change::CreateCluster(asked), Some(name)) = (change, stage.parameters.get_mut("name"))
                && name == "*"
            {
                *name = json!(asked.request.name);
            }
        }
        Ok(Prepared::of(stages))
    }

    fn no<T>(&self) -> Result<T> {
        Err(self.lacks("reads"))
    }
}

#[async_trait]
impl Driver for FakeDriver {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn on_lane(&self, _lane: Lane) -> Arc<dyn Driver> {
        Arc::new(self.clone())
    }

    async fn account_identity(&self) -> Result<AccountIdentity> {
        Ok(AccountIdentity { account: self.cloud.account()?, principal: "me".to_owned() })
    }

    async fn list_progress(&self) -> Result<ProgressList> {
        self.cloud.enter("list_progress", "")?;
        let things = self.cloud.standing().into_iter();
        Ok(ProgressList::new(
            things.map(|thing| (thing.clone(), self.cloud.is_ready(&thing))).collect::<Vec<_>>(),
        ))
    }

    async fn get_cluster(&self, _system_id: &str) -> Result<Cluster> {
        self.cloud.enter("get_cluster", "")?;
        let status = if self.cloud.is_busy() { Status::Updating } else { Status::Active };
        Ok(Cluster { status, ..Cluster::default() })
    }

    async fn create_cluster(&self, asked: &CreateCluster) -> Result<Prepared> {
        self.plan(&Change::CreateCluster(asked.clone()))
    }

    async fn delete_cluster(&self, asked: &DeleteCluster, _search: &Search) -> Result<Prepared> {
        self.plan(&Change::DeleteCluster(asked.clone()))
    }

    async fn upgrade_cluster(&self, asked: &UpgradeCluster) -> Result<Prepared> {
        self.plan(&Change::UpgradeCluster(asked.clone()))
    }

    async fn delete_resource(&self, asked: &DeleteResource) -> Result<Prepared> {
        self.plan(&Change::DeleteResource(asked.clone()))
    }

    async fn get_network(&self, _system_id: &str) -> Result<Network> {
        self.cloud.enter("get_network", "")?;
        Ok(serde_json::from_value(
            json!({"iid": {"nameId": "n", "systemId": "n-1"}, "cidr": "", "subnets": [], "state": "", "tags": {}, "keyValueList": []}),
        )
        .unwrap())
    }

    fn stage(&self, stage: &StageSpecification) -> Result<Box<dyn StageCalls>> {
        let part = serde_json::from_value(stage.parameters.clone());
        Ok(Box::new(Calls {
            cloud: Arc::clone(&self.cloud),
            part: part.map_err(|why| error(ErrorKind::Unexpected, &why.to_string()))?,
            identity: stage.identity,
            removes: stage.kind == "fake.remove",
        }))
    }

    async fn list_clusters(&self, _detail: Detail) -> Result<Listing<Cluster>> {
        self.no()
    }
    async fn list_node_groups(&self, _cluster: &str) -> Result<Listing<NodeGroup>> {
        self.no()
    }
    async fn get_node_group(&self, _cluster: &str, _system_id: &str) -> Result<NodeGroup> {
        self.no()
    }
    async fn nodes(&self, _cluster: &Cluster) -> Result<Listing<Node>> {
        self.no()
    }
    async fn versions(&self) -> Result<Vec<KubernetesVersion>> {
        self.no()
    }
    async fn machine_types(&self) -> Result<Vec<MachineType>> {
        self.no()
    }
    async fn images(&self) -> Result<Vec<Image>> {
        self.no()
    }
    async fn regions(&self) -> Result<Vec<Region>> {
        self.no()
    }
    async fn list_networks(&self) -> Result<Vec<Network>> {
        self.no()
    }
    async fn get_subnet(&self, _system_id: &str) -> Result<Subnet> {
        self.no()
    }
    async fn list_security_groups(&self) -> Result<Vec<SecurityGroup>> {
        self.no()
    }
    async fn get_security_group(&self, _system_id: &str) -> Result<SecurityGroup> {
        self.no()
    }
    async fn list_key_pairs(&self) -> Result<Vec<KeyPair>> {
        self.no()
    }
    async fn get_key_pair(&self, _system_id: &str) -> Result<KeyPair> {
        self.no()
    }
    async fn prerequisites(&self, _cluster: Option<&Cluster>) -> Result<Vec<Prerequisite>> {
        self.no()
    }
    async fn children(&self, _cluster: &Cluster) -> Result<Children> {
        self.no()
    }
    async fn kubeconfig(&self, _cluster: &Cluster, _format: KubeconfigFormat) -> Result<KubeconfigUser> {
        self.no()
    }
    async fn generate_cluster_token(&self, _cluster: &Cluster) -> Result<ClusterCredential> {
        self.no()
    }
}
