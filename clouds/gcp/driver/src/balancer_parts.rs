//! What stands behind a forwarding rule: target proxies, URL maps, backend services, target pools, health checks. None
//! of it carries a label of its cluster. It is found by the links of a rule whose cluster is known, and followed only as
//! far as names go that GKE's controllers give, or the rule's own.
//!
//! Sources: <https://github.com/kubernetes/ingress-gce/blob/master/pkg/utils/namer/namer.go> (`k8s-um-…`, `k8s1-…`),
//! <https://github.com/kubernetes/ingress-gce/blob/master/pkg/utils/namer/frontendnamer.go> (`k8s2-um-…`),
//! <https://github.com/kubernetes/cloud-provider-gcp/blob/master/providers/gce/gce_loadbalancer_external.go> (a target
//! pool is called like its rule, its check too or `k8s-…-node`),
//! <https://cloud.google.com/kubernetes-engine/docs/concepts/gateway-api> (`gkegw1-…`)

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use pmks_driver::Result;
use pmks_model::Child;
use serde_json::Value;

use crate::GcpDriver;
use crate::api::compute::{Kind, Scope};
use crate::children::{AT_ONCE, at_google, child};
use crate::names::Placed;

/// The parts, as children are called, in the order in which one holds the next.
const PARTS: [(&str, Kind); 7] = [
    ("targetHttpProxy", Kind::TargetHttpProxy),
    ("targetHttpsProxy", Kind::TargetHttpsProxy),
    ("urlMap", Kind::UrlMap),
    ("backendService", Kind::BackendService),
    ("targetPool", Kind::TargetPool),
    ("healthCheck", Kind::HealthCheck),
    ("httpHealthCheck", Kind::HttpHealthCheck),
];

/// What the names begin with that controllers give.
const OF_CONTROLLERS: [&str; 2] = ["k8s", "gkegw"];

/// What a child of that word is at Compute Engine, if it is a part of a balancer.
pub(crate) fn kind_of(word: &str) -> Option<Kind> {
    PARTS.iter().find(|(part, _)| *part == word).map(|(_, kind)| *kind)
}

/// Whether a controller takes a child of that word away with its balancer. What checks nodes may serve others still.
pub(crate) fn goes_with_balancer(word: &str) -> bool {
    kind_of(word).is_some_and(|kind| !matches!(kind, Kind::HealthCheck | Kind::HttpHealthCheck))
}

/// The front of a balancer, and what it links to.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    /// Its own name.
    pub(crate) name: String,
    /// Who made it.
    pub(crate) made_by: String,
    /// URLs.
    pub(crate) links: Vec<String>,
}

/// What stands behind these. One call a part.
pub(crate) async fn behind(driver: &GcpDriver, fronts: Vec<Front>) -> Result<Vec<Child>> {
    let project = driver.api.project();
    let mut found: BTreeMap<String, Child> = BTreeMap::new();
    let mut next = fronts;
    // A rule holds a proxy, that a map, that services, those checks.
    for _ in 0..=PARTS.len() {
        let mut parts = Vec::new();
        for front in &next {
            for part in front.links.iter().filter_map(|link| linked(link, project)) {
                let known = PARTS.iter().find(|(_, kind)| *kind == part.kind);
                let Some((word, _)) = known.filter(|_| is_own(&part.name, &front.name)) else { continue };
                let one = child(word, part.id(), &part.name, front.made_by.clone());
                if found.insert(part.id(), one).is_none() {
                    parts.push((front.clone(), part));
                }
            }
        }
        let reads = stream::iter(parts).map(|(front, part)| async move {
            let links = links_of(driver, part.kind, &part.scope, &part.name).await?;
            Ok(links.map(|links| (part.id(), Front { links, ..front })))
        });
        let read: Vec<Option<(String, Front)>> = reads.buffered(AT_ONCE).try_collect().await?;
        next = read.into_iter().flatten().map(|(_, front)| front).collect();
        if next.is_empty() {
            break;
        }
    }
    Ok(found.into_values().collect())
}

/// By what each of these is held, of these: what is to go before it. One call for each part of a balancer.
pub(crate) async fn holders(driver: &GcpDriver, children: &[Child]) -> Result<Holders> {
    let project = driver.api.project();
    let reads = stream::iter(children.to_vec()).map(|holder| async move {
        let Some((kind, scope, name)) = at_google(&holder) else { return Ok(None) };
        if !matches!(kind, Kind::ForwardingRule) && kind_of(&holder.kind).is_none() {
            return Ok(None);
        }
        Ok(links_of(driver, kind, &scope, name).await?.map(|links| (holder.system_id.clone(), links)))
    });
    let read: Vec<Option<(String, Vec<String>)>> = reads.buffered(AT_ONCE).try_collect().await?;
    let mut holders = Holders::default();
    for (holder, links) in read.into_iter().flatten() {
        for part in links.iter().filter_map(|link| linked(link, project)) {
            holders.0.entry(part.id()).or_default().insert(holder.clone());
        }
    }
    Ok(holders)
}

/// By what things are held, as identifiers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holders(BTreeMap<String, BTreeSet<String>>);

impl Holders {
    /// Whether the one holds the other.
    pub(crate) fn holds(&self, holder: &Child, held: &Child) -> bool {
        self.0.get(&held.system_id).is_some_and(|holders| holders.contains(&holder.system_id))
    }
}

#[cfg(test)]
impl FromIterator<(&'static str, &'static str)> for Holders {
    /// Of pairs: a holder, and what it holds.
    fn from_iter<T: IntoIterator<Item = (&'static str, &'static str)>>(pairs: T) -> Self {
        let mut holders = Self::default();
        for (holder, held) in pairs {
            holders.0.entry(held.to_owned()).or_default().insert(holder.to_owned());
        }
        holders
    }
}

/// Every text in what Google says of one; `None`: it is gone.
async fn links_of(driver: &GcpDriver, kind: Kind, scope: &Scope, name: &str) -> Result<Option<Vec<String>>> {
    match driver.api.get::<Value>(kind, scope, name).await {
        Ok(body) => {
            let mut links = Vec::new();
            texts(&body, &mut links);
            Ok(Some(links))
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, into)),
        // What a thing says of itself is no link of it, nor is what uses it.
        Value::Object(members) => members
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "selfLink" | "usedBy"))
            .for_each(|(_, value)| texts(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a link names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Linked {
    kind: Kind,
    scope: Scope,
    name: String,
}

impl Linked {
    fn id(&self) -> String {
        format!("{}/{}/{}", self.scope.path(), self.kind.collection(), self.name)
    }
}

/// What a URL of that project names, if it can be a part of a balancer or be held by one.
fn linked(link: &str, project: &str) -> Option<Linked> {
    let path = link.split_once("/projects/")?.1.strip_prefix(project)?.strip_prefix('/')?;
    let at = Placed::read(path)?;
    let collection = path.rsplit('/').nth(1)?;
    let kinds = PARTS.iter().map(|(_, kind)| *kind).chain([Kind::NetworkEndpointGroup]);
    let kind = kinds.into_iter().find(|kind| kind.collection() == collection)?;
    Some(Linked { kind, scope: Scope::of(&at), name: at.name.to_owned() })
}

fn is_own(name: &str, front: &str) -> bool {
    name == front || OF_CONTROLLERS.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn links_are_those_of_the_project_to_what_a_balancer_is_made_of() {
        let base = "https://www.googleapis.com/compute/v1/projects";
        let id = |link: &str| linked(link, "p").map(|linked| linked.id());
        for (link, expected) in [
            (format!("{base}/p/global/urlMaps/k8s2-um-x"), Some("global/urlMaps/k8s2-um-x")),
            (format!("{base}/p/regions/r/targetPools/a1"), Some("regions/r/targetPools/a1")),
            (
                format!("{base}/p/zones/r-a/networkEndpointGroups/k8s1-x"),
                Some("zones/r-a/networkEndpointGroups/k8s1-x"),
            ),
            (format!("{base}/other/global/urlMaps/k8s2-um-x"), None),
            (format!("{base}/p2/global/urlMaps/k8s2-um-x"), None),
            (format!("{base}/p/global/sslCertificates/mine"), None),
            ("of nothing".to_owned(), None),
        ] {
            assert_eq!(id(&link).as_deref(), expected, "{link}");
        }
    }

    #[test]
    fn what_a_thing_says_of_itself_is_no_link() {
        let mut links = Vec::new();
        let map =
            json!({"selfLink": "itself", "pathMatchers": [{"pathRules": [{"service": "deep"}]}], "size": 1});
        texts(&map, &mut links);
        assert_eq!(links, ["deep"]);
    }

    #[test]
    fn what_users_name_is_left_alone() {
        assert!(is_own("k8s2-be-x", "k8s2-fr-x") && is_own("gkegw1-x", "a1") && is_own("a1", "a1"));
        assert!(!is_own("my-backend", "k8s2-fr-x"));
        assert!(goes_with_balancer("urlMap") && !goes_with_balancer("healthCheck"));
        assert!(!goes_with_balancer("volume") && kind_of("targetPool") == Some(Kind::TargetPool));
    }
}
