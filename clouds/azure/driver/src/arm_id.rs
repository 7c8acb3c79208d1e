//! Identifiers of Azure Resource Manager: read in any case, written in one form. Knows no call.
//!
//! Azure's services answer one identifier in several cases (`resourcegroups`, `MICROSOFT.COMPUTE`), so that texts are
//! not compared: what we keep is the canonical form.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>

use std::fmt;

use serde::{Deserialize, Serialize};

/// AKS' namespace.
pub(crate) const CONTAINER_SERVICE: &str = "Microsoft.ContainerService";
/// The namespace of networks.
pub(crate) const NETWORK: &str = "Microsoft.Network";
/// The namespace of machines, disks and SSH public keys.
pub(crate) const COMPUTE: &str = "Microsoft.Compute";

/// Whether a text is an identifier as Azure writes those of tenants, subscriptions and groups: a UUID with its hyphens.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// The words that Azure writes in several cases, as Azure's documents write them.
const WORDS: &[&str] = &[
    CONTAINER_SERVICE,
    NETWORK,
    COMPUTE,
    "managedClusters",
    "agentPools",
    "virtualNetworks",
    "subnets",
    "networkSecurityGroups",
    "sshPublicKeys",
    "virtualMachineScaleSets",
    "virtualMachines",
    "disks",
];

/// The identifier of a resource in a resource group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ArmId {
    subscription: String,
    group: String,
    provider: String,
    /// Kind and name, the outermost first; never empty.
    path: Vec<(String, String)>,
}

impl ArmId {
    /// The identifier of an outermost resource.
    pub(crate) fn new(subscription: &str, group: &str, provider: &str, kind: &str, name: &str) -> Self {
        Self {
            subscription: subscription.to_ascii_lowercase(),
            group: group.to_owned(),
            provider: canonical(provider),
            path: vec![(canonical(kind), name.to_owned())],
        }
    }

    /// The identifier of a resource within this one.
    pub(crate) fn child(&self, kind: &str, name: &str) -> Self {
        let mut child = self.clone();
        child.path.push((canonical(kind), name.to_owned()));
        child
    }

    /// The identifier of another resource in the same resource group.
    pub(crate) fn beside(&self, provider: &str, kind: &str, name: &str) -> Self {
        Self::new(&self.subscription, &self.group, provider, kind, name)
    }

    /// The identifier of what this one is a part of; `None` for an outermost resource.
    pub(crate) fn parent(&self) -> Option<Self> {
        let mut parent = self.clone();
        parent.path.pop();
        (!parent.path.is_empty()).then_some(parent)
    }

    /// Reads an identifier, whatever its case; `None` for any other text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.strip_prefix('/')?.split('/');
        let mut keyed = |key: &str| {
            let found = words.next()?.eq_ignore_ascii_case(key);
            words.next().filter(|value| found && !value.is_empty())
        };
        let subscription = keyed("subscriptions")?.to_ascii_lowercase();
        let group = keyed("resourceGroups")?.to_owned();
        let provider = canonical(keyed("providers")?);
        let mut path = Vec::new();
        while let Some(kind) = words.next() {
            let name = words.next().filter(|name| !name.is_empty())?;
            path.push((canonical(kind), name.to_owned()));
        }
        (!path.is_empty()).then_some(Self { subscription, group, provider, path })
    }

    /// The resource's own name.
    pub(crate) fn name(&self) -> &str {
        self.path.last().map_or("", |(_, name)| name.as_str())
    }

    /// The resource group.
    pub(crate) fn group(&self) -> &str {
        &self.group
    }

    /// The subscription.
    pub(crate) fn subscription(&self) -> &str {
        &self.subscription
    }

    /// Whether it is of that kind: `managedClusters`, `virtualNetworks/subnets`.
    pub(crate) fn is(&self, kind: &str) -> bool {
        let kinds: Vec<&str> = self.path.iter().map(|(kind, _)| kind.as_str()).collect();
        kinds.join("/").eq_ignore_ascii_case(kind)
    }

    /// Whether it names the same resource: Azure knows no case.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.to_string().eq_ignore_ascii_case(&other.to_string())
    }

    /// Whether a text names the same resource.
    pub(crate) fn is_text(&self, text: &str) -> bool {
        Self::parse(text).is_some_and(|other| self.same(&other))
    }

    /// The path's segments.
    pub(crate) fn segments(&self) -> Vec<&str> {
        let head =
            ["subscriptions", &self.subscription, "resourceGroups", &self.group, "providers", &self.provider];
        let path = self.path.iter().flat_map(|(kind, name)| [kind.as_str(), name.as_str()]);
        head.into_iter().chain(path).collect()
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.segments().join("/"))
    }
}

impl From<ArmId> for String {
    fn from(id: ArmId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for ArmId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no identifier of Azure Resource Manager"))
    }
}

/// The canonical form of an identifier; any other text as it is.
pub(crate) fn canonical_text(text: &str) -> String {
    ArmId::parse(text).map_or_else(|| text.to_owned(), |id| id.to_string())
}

fn canonical(word: &str) -> String {
    WORDS.iter().find(|known| known.eq_ignore_ascii_case(word)).map_or(word, |known| known).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: &str =
        "/subscriptions/0a/resourceGroups/Prod-RG/providers/Microsoft.ContainerService/managedClusters/web";

    #[test]
    fn reads_every_case_and_writes_one() {
        let other = "/subscriptions/0A/resourcegroups/Prod-RG/providers/microsoft.containerservice/ManagedClusters/web";
        let id = ArmId::parse(other).unwrap();
        assert_eq!(id.to_string(), CLUSTER);
        assert_eq!((id.group(), id.name(), id.subscription()), ("Prod-RG", "web", "0a"));
        assert!(id.is("managedClusters") && !id.is("managedClusters/agentPools"));
        assert!(id.is_text(&CLUSTER.to_uppercase()));
        let pool = id.child("agentpools", "ga");
        assert_eq!(pool.to_string(), format!("{CLUSTER}/agentPools/ga"));
        assert_eq!(pool.parent().unwrap(), id);
        assert_eq!(id.parent(), None);
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "web",
            "/subscriptions/0a",
            "/subscriptions/0a/resourceGroups/g",
            "/subscriptions/0a/resourceGroups/g/providers/Microsoft.Network",
            "/subscriptions/0a/resourceGroups/g/providers/Microsoft.Network/virtualNetworks",
            "/subscriptions//resourceGroups/g/providers/p/k/n",
        ] {
            assert_eq!(ArmId::parse(text), None, "{text}");
            assert_eq!(canonical_text(text), text);
        }
    }

    #[test]
    fn is_stored_as_its_text() {
        let id = ArmId::parse(CLUSTER).unwrap();
        let stored = serde_json::to_value(&id).unwrap();
        assert_eq!(stored, CLUSTER);
        assert_eq!(serde_json::from_value::<ArmId>(stored).unwrap(), id);
        assert!(serde_json::from_value::<ArmId>(serde_json::json!("web")).is_err());
    }
}
