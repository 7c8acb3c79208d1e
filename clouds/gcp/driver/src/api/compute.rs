//! The calls of Compute Engine.
//!
//! Source: <https://cloud.google.com/compute/docs/reference/rest/v1>

use http::Method;
use pmks_driver::{DriverError, Effect, ErrorKind, Result};
use pmks_transport::Call;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Api, MOST_PAGES, endless};
use crate::PROVIDER;
use crate::names::{Placed, Shared};
use crate::wire::compute as wire;

/// The largest page of lists.
const PAGE: &str = "500";
/// The names of what GKE makes: nodes and their groups. The lists of a project hold all its other machines too.
const MADE_BY_GKE: &str = "name eq gk[a-z0-9]-.*";
/// What is read of an instance: its metadata alone would be a hundred kilobytes each.
const INSTANCE: &str = "nextPageToken,unreachables,items/*/instances(id,name,zone,machineType,status,networkInterfaces,\
     creationTimestamp,lastStartTimestamp,cpuPlatform,scheduling/provisioningModel,tags/items)";

/// Where something of Compute Engine stands: `global`, `regions/R` or `zones/Z`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Scope(String);

impl Scope {
    /// Everywhere.
    pub(crate) fn global() -> Self {
        Self("global".to_owned())
    }

    /// In a region.
    pub(crate) fn region(region: &str) -> Self {
        Self(format!("regions/{region}"))
    }

    /// In a zone.
    pub(crate) fn zone(zone: &str) -> Self {
        Self(format!("zones/{zone}"))
    }

    /// Where something of a URL or path is.
    pub(crate) fn of(at: &Placed<'_>) -> Self {
        match at.scope {
            "zones" => Self::zone(at.place),
            "regions" => Self::region(at.place),
            _ => Self::global(),
        }
    }

    /// As paths have it.
    pub(crate) fn path(&self) -> &str {
        &self.0
    }

    /// `global`, `regions` or `zones`.
    fn kind(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    fn segments(&self) -> Vec<&str> {
        self.0.split('/').collect()
    }
}

/// What is made, looked at by itself, or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    Network,
    Subnetwork,
    Firewall,
    ForwardingRule,
    NetworkEndpointGroup,
    Disk,
    TargetHttpProxy,
    TargetHttpsProxy,
    UrlMap,
    BackendService,
    TargetPool,
    HealthCheck,
    HttpHealthCheck,
}

impl Kind {
    /// Its collection, as paths have it.
    pub(crate) fn collection(self) -> &'static str {
        match self {
            Self::Network => "networks",
            Self::Subnetwork => "subnetworks",
            Self::Firewall => "firewalls",
            Self::ForwardingRule => "forwardingRules",
            Self::NetworkEndpointGroup => "networkEndpointGroups",
            Self::Disk => "disks",
            Self::TargetHttpProxy => "targetHttpProxies",
            Self::TargetHttpsProxy => "targetHttpsProxies",
            Self::UrlMap => "urlMaps",
            Self::BackendService => "backendServices",
            Self::TargetPool => "targetPools",
            Self::HealthCheck => "healthChecks",
            Self::HttpHealthCheck => "httpHealthChecks",
        }
    }

    /// The calls that read and that remove one. Google has calls for each kind of place, and permissions of the same
    /// names; but for regional disks, which are read and removed by the permissions of disks.
    fn calls(self, scope: &Scope) -> [&'static str; 2] {
        match (self, scope.kind()) {
            (Self::Network, _) => ["compute.networks.get", "compute.networks.delete"],
            (Self::Subnetwork, _) => ["compute.subnetworks.get", "compute.subnetworks.delete"],
            (Self::Firewall, _) => ["compute.firewalls.get", "compute.firewalls.delete"],
            (Self::ForwardingRule, "global") => {
                ["compute.globalForwardingRules.get", "compute.globalForwardingRules.delete"]
            }
            (Self::ForwardingRule, _) => ["compute.forwardingRules.get", "compute.forwardingRules.delete"],
            (Self::NetworkEndpointGroup, "global") => {
                ["compute.globalNetworkEndpointGroups.get", "compute.globalNetworkEndpointGroups.delete"]
            }
            (Self::NetworkEndpointGroup, "regions") => {
                ["compute.regionNetworkEndpointGroups.get", "compute.regionNetworkEndpointGroups.delete"]
            }
            (Self::NetworkEndpointGroup, _) => {
                ["compute.networkEndpointGroups.get", "compute.networkEndpointGroups.delete"]
            }
            (Self::Disk, _) => ["compute.disks.get", "compute.disks.delete"],
            (Self::TargetPool, _) => ["compute.targetPools.get", "compute.targetPools.delete"],
            (Self::HttpHealthCheck, _) => ["compute.httpHealthChecks.get", "compute.httpHealthChecks.delete"],
            (part, "regions") => part.regional_calls(),
            (part, _) => part.global_calls(),
        }
    }

    /// Those of a global balancer's parts.
    fn global_calls(self) -> [&'static str; 2] {
        match self {
            Self::TargetHttpsProxy => ["compute.targetHttpsProxies.get", "compute.targetHttpsProxies.delete"],
            Self::UrlMap => ["compute.urlMaps.get", "compute.urlMaps.delete"],
            Self::BackendService => ["compute.backendServices.get", "compute.backendServices.delete"],
            Self::HealthCheck => ["compute.healthChecks.get", "compute.healthChecks.delete"],
            _ => ["compute.targetHttpProxies.get", "compute.targetHttpProxies.delete"],
        }
    }

    /// Those of a regional balancer's parts.
    fn regional_calls(self) -> [&'static str; 2] {
        match self {
            Self::TargetHttpsProxy => {
                ["compute.regionTargetHttpsProxies.get", "compute.regionTargetHttpsProxies.delete"]
            }
            Self::UrlMap => ["compute.regionUrlMaps.get", "compute.regionUrlMaps.delete"],
            Self::BackendService => {
                ["compute.regionBackendServices.get", "compute.regionBackendServices.delete"]
            }
            Self::HealthCheck => ["compute.regionHealthChecks.get", "compute.regionHealthChecks.delete"],
            _ => ["compute.regionTargetHttpProxies.get", "compute.regionTargetHttpProxies.delete"],
        }
    }

    /// The call that reads one.
    pub(crate) fn get(self, scope: &Scope) -> &'static str {
        let [get, _] = self.calls(scope);
        get
    }

    /// The call that makes one; `None` for what controllers alone make.
    fn insert(self) -> Option<&'static str> {
        match self {
            Self::Network => Some("compute.networks.insert"),
            Self::Subnetwork => Some("compute.subnetworks.insert"),
            Self::Firewall => Some("compute.firewalls.insert"),
            _ => None,
        }
    }

    /// The call that removes one.
    fn delete(self, scope: &Scope) -> &'static str {
        let [_, delete] = self.calls(scope);
        delete
    }
}

/// What a list over every zone and region holds, by scope, and the scopes that did not answer.
#[derive(Debug)]
pub(crate) struct Everywhere<T> {
    pub(crate) found: Vec<(String, T)>,
    pub(crate) missing: Vec<String>,
}

impl Api {
    /// One thing of a kind.
    pub(crate) async fn get<T: DeserializeOwned>(&self, kind: Kind, scope: &Scope, name: &str) -> Result<T> {
        self.get_of(self.project(), kind, scope, name).await
    }

    /// One network, which may be another project's.
    pub(crate) async fn get_network(&self, network: &Shared) -> Result<wire::Network> {
        self.get_of(&network.project, Kind::Network, &Scope::global(), &network.name).await
    }

    /// One subnetwork, which may be another project's.
    pub(crate) async fn get_subnetwork(&self, subnetwork: &Shared, region: &str) -> Result<wire::Subnetwork> {
        let scope = Scope::region(region);
        self.get_of(&subnetwork.project, Kind::Subnetwork, &scope, &subnetwork.name).await
    }

    /// The same as it came.
    pub(crate) async fn raw_network(&self, network: &Shared) -> Result<Value> {
        self.get_of(&network.project, Kind::Network, &Scope::global(), &network.name).await
    }

    /// One subnetwork, which may be another project's, as it came.
    pub(crate) async fn raw_subnetwork(&self, subnetwork: &Shared, region: &str) -> Result<Value> {
        let scope = Scope::region(region);
        self.get_of(&subnetwork.project, Kind::Subnetwork, &scope, &subnetwork.name).await
    }

    async fn get_of<T: DeserializeOwned>(
        &self,
        project: &str,
        kind: Kind,
        scope: &Scope,
        name: &str,
    ) -> Result<T> {
        let segments = path(project, scope, &[kind.collection(), name]);
        self.json(self.reading(kind.get(scope), &segments)?).await
    }

    /// Asks for something; with the same request id the same.
    pub(crate) async fn insert(
        &self,
        kind: Kind,
        scope: &Scope,
        body: &Value,
        request_id: Uuid,
    ) -> Result<wire::Operation> {
        let action = kind.insert().ok_or_else(|| {
            let says = format!("{} are made by controllers alone", kind.collection());
            DriverError::new(ErrorKind::Unexpected, PROVIDER, says)
        })?;
        let segments = path(self.project(), scope, &[kind.collection()]);
        let call = self.call("compute", action, Effect::Idempotent, Method::POST, &segments)?;
        let call = call.query("requestId", &request_id.hyphenated().to_string());
        self.json(Self::with_body(call, body)?).await
    }

    /// Asks for the end of something, by its name or its number.
    pub(crate) async fn delete(&self, kind: Kind, scope: &Scope, id: &str) -> Result<wire::Operation> {
        let segments = path(self.project(), scope, &[kind.collection(), id]);
        let call = self.call("compute", kind.delete(scope), Effect::Idempotent, Method::DELETE, &segments)?;
        self.json(call).await
    }

    /// Compute Engine's own work.
    pub(crate) async fn compute_operation(&self, scope: &Scope, operation: &str) -> Result<wire::Operation> {
        let action = match scope.kind() {
            "zones" => "compute.zoneOperations.get",
            "regions" => "compute.regionOperations.get",
            _ => "compute.globalOperations.get",
        };
        let segments = path(self.project(), scope, &["operations", operation]);
        self.json(self.reading(action, &segments)?).await
    }

    /// The networks of the project.
    pub(crate) async fn list_networks(&self) -> Result<Vec<wire::Network>> {
        self.pages("compute.networks.list", &Scope::global(), "networks").await
    }

    /// The subnetworks of a region.
    pub(crate) async fn list_subnetworks(&self, region: &str) -> Result<Vec<wire::Subnetwork>> {
        self.pages("compute.subnetworks.list", &Scope::region(region), "subnetworks").await
    }

    /// The firewall rules of the project.
    pub(crate) async fn list_firewalls(&self) -> Result<Vec<wire::Firewall>> {
        self.pages("compute.firewalls.list", &Scope::global(), "firewalls").await
    }

    /// The same as they came.
    pub(crate) async fn raw_firewalls(&self) -> Result<Vec<Value>> {
        self.pages("compute.firewalls.list", &Scope::global(), "firewalls").await
    }

    /// Changes what is said of a firewall rule. `id` lets Compute Engine know the same request again.
    ///
    /// Source: <https://cloud.google.com/compute/docs/reference/rest/v1/firewalls/patch>
    pub(crate) async fn patch_firewall(&self, name: &str, body: &Value, id: Uuid) -> Result<wire::Operation> {
        let scope = Scope::global();
        let segments = path(self.project(), &scope, &["firewalls", name]);
        let call =
            self.call("compute", "compute.firewalls.patch", Effect::Idempotent, Method::PATCH, &segments)?;
        let call = call.query("requestId", &id.to_string());
        self.json(Self::with_body(call, body)?).await
    }

    /// The machine types of a zone.
    pub(crate) async fn list_machine_types(&self, zone: &str) -> Result<Vec<wire::MachineType>> {
        self.pages("compute.machineTypes.list", &Scope::zone(zone), "machineTypes").await
    }

    /// One machine type of a zone.
    pub(crate) async fn get_machine_type(&self, zone: &str, name: &str) -> Result<wire::MachineType> {
        let scope = Scope::zone(zone);
        let segments = path(self.project(), &scope, &["machineTypes", name]);
        self.json(self.reading("compute.machineTypes.get", &segments)?).await
    }

    /// The regions that the project can use, with their zones.
    pub(crate) async fn list_regions(&self) -> Result<Vec<wire::Region>> {
        let base = ["compute", "v1", "projects", self.project(), "regions"];
        self.all_pages("compute.regions.list", &base).await
    }

    /// One region, with its zones and the project's quotas.
    pub(crate) async fn get_region(&self, region: &str) -> Result<wire::Region> {
        let segments = ["compute", "v1", "projects", self.project(), "regions", region];
        self.json(self.reading("compute.regions.get", &segments)?).await
    }

    /// The managed instance groups that GKE made, of every zone.
    pub(crate) async fn instance_groups(&self) -> Result<Everywhere<wire::InstanceGroupManager>> {
        let action = "compute.instanceGroupManagers.aggregatedList";
        let filter = [("filter", MADE_BY_GKE)];
        let of = |scope: wire::InstanceGroupManagers| scope.instance_group_managers;
        self.everywhere(action, "instanceGroupManagers", &filter, of).await
    }

    /// The instances that GKE made, of every zone.
    pub(crate) async fn instances(&self) -> Result<Everywhere<wire::Instance>> {
        let filter = [("filter", MADE_BY_GKE), ("fields", INSTANCE)];
        let of = |scope: wire::Instances| scope.instances;
        self.everywhere("compute.instances.aggregatedList", "instances", &filter, of).await
    }

    /// The instances of the project, of every zone, whoever made them.
    pub(crate) async fn all_instances(&self) -> Result<Everywhere<wire::Instance>> {
        let of = |scope: wire::Instances| scope.instances;
        let fields = [("fields", INSTANCE)];
        self.everywhere("compute.instances.aggregatedList", "instances", &fields, of).await
    }

    /// The forwarding rules of every region, and those that are global.
    pub(crate) async fn forwarding_rules(&self) -> Result<Everywhere<wire::ForwardingRule>> {
        let of = |scope: wire::ForwardingRules| scope.forwarding_rules;
        self.everywhere("compute.forwardingRules.aggregatedList", "forwardingRules", &[], of).await
    }

    /// The network endpoint groups of every zone and region.
    pub(crate) async fn network_endpoint_groups(&self) -> Result<Everywhere<wire::NetworkEndpointGroup>> {
        let action = "compute.networkEndpointGroups.aggregatedList";
        let of = |scope: wire::NetworkEndpointGroups| scope.network_endpoint_groups;
        self.everywhere(action, "networkEndpointGroups", &[], of).await
    }

    /// The disks that carry the label of that cluster, of every zone.
    pub(crate) async fn disks_of(&self, cluster: &str) -> Result<Everywhere<wire::Disk>> {
        let filter = format!("labels.goog-k8s-cluster-name={cluster}");
        let of = |scope: wire::Disks| scope.disks;
        self.everywhere("compute.disks.aggregatedList", "disks", &[("filter", &filter)], of).await
    }

    /// The project itself, as it is: what is replaced of it is sent as it was read. Its metadata is everybody's, and no
    /// record of it is kept.
    pub(crate) async fn get_project(&self) -> Result<Value> {
        let segments = ["compute", "v1", "projects", self.project()];
        self.privately().json(self.reading("compute.projects.get", &segments)?).await
    }

    /// Replaces the metadata of all the project's instances, if it is still what was read.
    pub(crate) async fn set_common_metadata(&self, body: &Value) -> Result<wire::Operation> {
        let segments = ["compute", "v1", "projects", self.project(), "setCommonInstanceMetadata"];
        let action = "compute.projects.setCommonInstanceMetadata";
        let call = self.call("compute", action, Effect::Idempotent, Method::POST, &segments)?;
        self.privately().json(Self::with_body(call, body)?).await
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        action: &'static str,
        scope: &Scope,
        collection: &str,
    ) -> Result<Vec<T>> {
        self.all_pages(action, &path(self.project(), scope, &[collection])).await
    }

    async fn all_pages<T: DeserializeOwned>(
        &self,
        action: &'static str,
        segments: &[&str],
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        let mut next = String::new();
        for _ in 0..MOST_PAGES {
            let call = paged(self.reading(action, segments)?, &next);
            let page: wire::Page<T> = self.json(call).await?;
            found.extend(page.items);
            next = page.next_page_token;
            if next.is_empty() {
                return Ok(found);
            }
        }
        Err(endless(action))
    }

    async fn everywhere<S: DeserializeOwned + Default, T>(
        &self,
        action: &'static str,
        collection: &str,
        parameters: &[(&str, &str)],
        of: impl Fn(S) -> Vec<T>,
    ) -> Result<Everywhere<T>> {
        let segments = ["compute", "v1", "projects", self.project(), "aggregated", collection];
        let mut everywhere = Everywhere { found: Vec::new(), missing: Vec::new() };
        let mut next = String::new();
        for _ in 0..MOST_PAGES {
            let mut call = paged(self.reading(action, &segments)?, &next);
            for (name, value) in parameters {
                call = call.query(name, value);
            }
            let page: wire::AggregatedPage<S> = self.json(call).await?;
            for (scope, items) in page.items {
                everywhere.found.extend(of(items).into_iter().map(|item| (scope.clone(), item)));
            }
            everywhere.missing.extend(page.unreachables);
            next = page.next_page_token;
            if next.is_empty() {
                return Ok(everywhere);
            }
        }
        Err(endless(action))
    }

    fn reading(&self, action: &'static str, segments: &[&str]) -> Result<Call> {
        self.call("compute", action, Effect::Read, Method::GET, segments)
    }
}

fn path<'a>(project: &'a str, scope: &'a Scope, rest: &[&'a str]) -> Vec<&'a str> {
    let mut segments = vec!["compute", "v1", "projects", project];
    segments.extend(scope.segments());
    segments.extend(rest);
    segments
}

fn paged(call: Call, next: &str) -> Call {
    let call = call.query("maxResults", PAGE);
    if next.is_empty() { call } else { call.query("pageToken", next) }
}
