//! What may be asked of a cluster, and the defaults of what is not said.
//!
//! Sources: <https://learn.microsoft.com/rest/api/aks/managed-clusters/create-or-update>,
//! <https://learn.microsoft.com/azure/aks/quotas-skus-regions>.

use pmks_simulation::Cidr;
use serde_json::{Value, json};

use super::pool_request::{self, Setting, Wanted};
use super::state::Cluster;
use super::versions;
use crate::arm::{Call, key};
use crate::error::{Error, Result};
use crate::json::{at, is_true, items, remove, set, set_default, text};

/// What only the service says.
pub(super) const READ_ONLY: [&str; 12] = [
    "provisioningState",
    "powerState",
    "currentKubernetesVersion",
    "fqdn",
    "privateFQDN",
    "azurePortalFQDN",
    "maxAgentPools",
    "resourceUID",
    "agentPoolProfiles",
    "identityProfile",
    "status",
    "privateLinkResources",
];
/// What never changes once it was chosen.
const FIXED: [&str; 4] = ["dnsPrefix", "fqdnSubdomain", "nodeResourceGroup", "enableRBAC"];

/// A cluster as it will be.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Everything but the pools.
    pub(super) body: Value,
    /// The control plane's version.
    pub(super) version: String,
    /// The pools that the request names.
    pub(super) pools: Vec<Wanted>,
}

/// Reads what is asked of a cluster.
///
/// # Errors
/// AKS' refusal.
pub(super) fn read(call: &Call<'_>, name: &str, location: &str, known: Option<&Cluster>) -> Result<Asked> {
    let mut body = call.body.clone();
    remove(&mut body, &["id", "name", "type", "eTag", "systemData"]);
    set(&mut body, "location", location);
    set_default(&mut body, "properties", json!({}));
    set_default(&mut body, "sku", json!({"name": "Base", "tier": "Free"}));
    set_default(&mut body, "kind", "Base");
    let mut properties = at(&body, "properties").clone();
    let asked = text(&properties, "kubernetesVersion").map(str::to_owned);
    let version = match known {
        Some(known) => versions::meant(asked.as_deref(), &known.version)?,
        None => versions::resolve(asked.as_deref())?.to_owned(),
    };
    if versions::is_long_term(&version) && text(&properties, "supportPlan") != Some("AKSLongTermSupport") {
        let says = format!(
            "Managed cluster {name} is on version {version}, which is only available for Long-Term Support (LTS). If you \
             intend to onboard to LTS, please ensure the cluster is in Premium tier and LTS support plan. Otherwise, use \
             [az aks get-versions] command to get the supported version list in this region. For more information, \
             please check https://aka.ms/supported-version-list"
        );
        return Err(Error::bad("K8sVersionNotSupported", says));
    }
    match known {
        None => check_new(&body, &properties)?,
        Some(known) => keep_fixed(&mut properties, known)?,
    }
    let pools = read_pools(call, &properties, location, &version, known)?;
    check_linux(&properties)?;
    add_defaults(call, name, location, &mut properties);
    check_networks(call, &properties, &pools)?;
    set_default(&mut properties, "kubernetesVersion", version.as_str());
    remove(&mut properties, &READ_ONLY);
    set(&mut body, "properties", properties);
    Ok(Asked { body, version, pools })
}

fn check_new(body: &Value, properties: &Value) -> Result<()> {
    let Some(prefix) = text(properties, "dnsPrefix").or(text(properties, "fqdnSubdomain")) else {
        return Err(Error::missing("dnsPrefix"));
    };
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let ends = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let fine = prefix.len() <= 54
        && prefix.chars().all(letters)
        && ends(prefix.chars().next())
        && ends(prefix.chars().last());
    if !fine {
        let says = format!(
            "The value of parameter dnsPrefix is invalid. Error details: '{prefix}' must conform to the following pattern: \
             '^[a-zA-Z0-9]$|^[a-zA-Z0-9][-a-zA-Z0-9]{{0,52}}[a-zA-Z0-9]$'. Please see \
             https://aka.ms/aks-naming-rules for more details."
        );
        return Err(Error::invalid("dnsPrefix", says));
    }
    let identity = text(body, "identity.type").is_some_and(|kind| kind != "None");
    if !identity && text(properties, "servicePrincipalProfile.clientId").is_none() {
        return Err(Error::missing("servicePrincipalProfile"));
    }
    if items(at(properties, "agentPoolProfiles")).next().is_none() {
        return Err(Error::missing("agentPoolProfiles"));
    }
    Ok(())
}

fn keep_fixed(properties: &mut Value, known: &Cluster) -> Result<()> {
    let own = at(&known.body, "properties");
    for name in FIXED {
        let asked = at(properties, name).clone();
        let kept = at(own, name);
        if !asked.is_null() && asked != *kept {
            let target = format!("properties.{name}");
            let says = format!("Changing property '{target}' is not allowed.");
            return Err(Error::bad("PropertyChangeNotAllowed", says).about(&target));
        }
        if !kept.is_null() {
            set(properties, name, kept.clone());
        }
    }
    for name in ["networkPlugin", "serviceCidr", "dnsServiceIP", "loadBalancerSku", "networkPluginMode"] {
        let (asked, kept) = (at(properties, "networkProfile").get(name), at(own, "networkProfile").get(name));
        if asked.is_some_and(|asked| !asked.is_null() && Some(asked) != kept) {
            let target = format!("properties.networkProfile.{name}");
            let says = format!("Changing property '{target}' is not allowed.");
            return Err(Error::bad("PropertyChangeNotAllowed", says).about(&target));
        }
    }
    if at(properties, "networkProfile").is_null() {
        set(properties, "networkProfile", at(own, "networkProfile").clone());
    }
    Ok(())
}

fn read_pools(
    call: &Call<'_>,
    properties: &Value,
    location: &str,
    version: &str,
    known: Option<&Cluster>,
) -> Result<Vec<Wanted>> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for given in items(at(properties, "agentPoolProfiles")) {
        let name = text(given, "name").ok_or_else(|| Error::missing("agentPoolProfile.name"))?;
        let standing = known.and_then(|known| known.pool(name));
        let setting = Setting { prefix: "agentPoolProfile", location, version, known: standing };
        if wanted.iter().any(|other| other.name == name) {
            let says = format!("Agent pool name {name} is not unique.");
            return Err(Error::invalid("agentPoolProfile.name", says));
        }
        wanted.push(pool_request::read(call, name, given, &setting)?);
    }
    let system = |wanted: &Wanted| text(&wanted.properties, "mode") == Some("System");
    let kept = known.is_some_and(|known| {
        known.pools.iter().any(|pool| pool.is_system() && !wanted.iter().any(|other| other.name == pool.name))
    });
    if !kept && !wanted.iter().any(system) && (known.is_none() || !wanted.is_empty()) {
        return Err(Error::bad("MustDefineAtLeastOneSystemPool", "Must define at least one system pool."));
    }
    Ok(wanted)
}

fn check_linux(properties: &Value) -> Result<()> {
    if at(properties, "linuxProfile").is_null() {
        return Ok(());
    }
    if text(properties, "linuxProfile.adminUsername").is_none() {
        return Err(Error::missing("linuxProfile.adminUsername"));
    }
    let keys: Vec<&Value> = items(at(properties, "linuxProfile.ssh.publicKeys")).collect();
    let [only] = keys.as_slice() else {
        let says = "The value of parameter linuxProfile.ssh.publicKeys is invalid. Error details: exactly one key must be given.";
        return Err(Error::invalid("linuxProfile.ssh.publicKeys", says));
    };
    let data = text(only, "keyData").unwrap_or_default();
    // Nor does it take Ed25519, which Azure's machines know: <https://github.com/Azure/AKS/issues/4431>
    if data.starts_with("ssh-rsa ") {
        return Ok(());
    }
    let target = "linuxProfile.ssh.publicKeys.keyData";
    let says = format!(
        "The value of parameter {target} is invalid. Please see https://aka.ms/aks-naming-rules for more details."
    );
    Err(Error::invalid(target, says))
}

fn add_defaults(call: &Call<'_>, name: &str, location: &str, properties: &mut Value) {
    let group = format!("MC_{}_{name}_{location}", call.name(1));
    let plans = [
        ("nodeResourceGroup", json!(group)),
        ("enableRBAC", json!(true)),
        ("supportPlan", json!("KubernetesOfficial")),
        ("servicePrincipalProfile", json!({"clientId": "msi"})),
        ("disableLocalAccounts", json!(false)),
        ("oidcIssuerProfile", json!({"enabled": false})),
        ("securityProfile", json!({})),
        ("autoUpgradeProfile", json!({"nodeOSUpgradeChannel": "NodeImage"})),
        ("metricsProfile", json!({"costAnalysis": {"enabled": false}})),
        ("nodeProvisioningProfile", json!({"mode": "Manual"})),
        ("bootstrapProfile", json!({"artifactSource": "Direct"})),
        ("workloadAutoScalerProfile", json!({})),
        ("networkProfile", json!({})),
        (
            "storageProfile",
            json!({
                "diskCSIDriver": {"enabled": true}, "fileCSIDriver": {"enabled": true},
                "snapshotController": {"enabled": true},
            }),
        ),
    ];
    for (name, value) in plans {
        set_default(properties, name, value);
    }
    let Some(network) = properties.get_mut("networkProfile") else { return };
    set_default(network, "networkPlugin", "azure");
    if text(network, "networkPlugin") == Some("azure") && at(network, "podCidr").is_null() {
        set_default(network, "networkPluginMode", "overlay");
    }
    let defaults = [
        ("networkDataplane", json!("azure")),
        ("podCidr", json!("10.244.0.0/16")),
        ("serviceCidr", json!("10.0.0.0/16")),
        ("dnsServiceIP", json!("10.0.0.10")),
        ("loadBalancerSku", json!("standard")),
        ("outboundType", json!("loadBalancer")),
        ("ipFamilies", json!(["IPv4"])),
    ];
    for (name, value) in defaults {
        set_default(network, name, value);
    }
    let (pods, services) = (at(network, "podCidr").clone(), at(network, "serviceCidr").clone());
    set_default(network, "podCidrs", json!([pods]));
    set_default(network, "serviceCidrs", json!([services]));
}

/// The addresses of Services must not lie in a subnet of nodes, and those must be of one network.
fn check_networks(call: &Call<'_>, properties: &Value, pools: &[Wanted]) -> Result<()> {
    let services = text(properties, "networkProfile.serviceCidr").unwrap_or_default();
    let services: Cidr = services.parse().map_err(|_| {
        let target = "networkProfile.serviceCidr";
        Error::invalid(
            target,
            format!("The value of parameter {target} is invalid. Error details: '{services}' is no CIDR."),
        )
    })?;
    let mut networks = Vec::new();
    for subnet in pools.iter().filter_map(|pool| text(&pool.properties, "vnetSubnetID")) {
        let Some(document) = call.subscription().documents.get(&key(subnet)) else { continue };
        let prefix = text(&document.body, "properties.addressPrefix").or_else(|| {
            items(at(&document.body, "properties.addressPrefixes")).next().and_then(Value::as_str)
        });
        let prefix = prefix.unwrap_or_default();
        if prefix.parse::<Cidr>().is_ok_and(|cidr| cidr.overlaps(services)) {
            let says = format!(
                "The specified service CIDR {} is conflicted with an existing subnet CIDR {prefix}",
                String::from(services)
            );
            return Err(
                Error::bad("ServiceCidrOverlapExistingSubnetsCidr", says).about("networkProfile.serviceCIDR")
            );
        }
        networks.push(key(subnet).rsplit_once("/subnets/").map(|(network, _)| network.to_owned()));
    }
    networks.dedup();
    if networks.len() > 1 {
        let says =
            "All agent pools in a managed cluster must have their subnets in the same virtual network.";
        return Err(Error::invalid("agentPoolProfile.vnetSubnetID", says));
    }
    if is_true(properties, "disableLocalAccounts") && !is_true(properties, "aadProfile.managed") {
        let says =
            "Disabling local accounts is only allowed for clusters with Microsoft Entra ID integration.";
        return Err(Error::bad("BadRequest", says).about("disableLocalAccounts"));
    }
    Ok(())
}

/// A cluster's name by AKS' rules.
///
/// # Errors
/// `InvalidParameter`.
pub(super) fn check_name(name: &str) -> Result<()> {
    let word = |letter: char| letter.is_ascii_alphanumeric();
    let fine = (1..=63).contains(&name.len())
        && name.starts_with(word)
        && name.ends_with(word)
        && name.chars().all(|letter| word(letter) || "-_".contains(letter));
    if fine {
        return Ok(());
    }
    let says = format!(
        "The value of parameter managedCluster.name is invalid. Error details: Invalid managed cluster name '{name}': it \
         must conform to the regex: '^[a-zA-Z0-9]$|^[a-zA-Z0-9][-_a-zA-Z0-9]{{0,61}}[a-zA-Z0-9]$'. Please see \
         https://aka.ms/aks-naming-rules for more details."
    );
    Err(Error::invalid("managedCluster.name", says))
}

/// The name of the node resource group has its own limit.
///
/// # Errors
/// `InvalidParameter`.
pub(super) fn check_node_group(body: &Value) -> Result<()> {
    let name = text(body, "properties.nodeResourceGroup").unwrap_or_default();
    if name.len() <= 80 {
        return Ok(());
    }
    let target = "nodeResourceGroup";
    let says = format!(
        "The length of the node resource group name is too long. The maximum length is 80 and the length of the value \
         provided is {}. Please see https://aka.ms/aks-naming-rules for more details.",
        name.len()
    );
    Err(Error::invalid(target, says))
}
