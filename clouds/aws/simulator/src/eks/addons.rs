//! Managed add-ons: what is offered, and what a cluster has. The networking add-ons that a cluster is born with are
//! self-managed, so they are in no list here.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/userguide/eks-add-ons.html>.

use std::time::Duration;

use serde_json::{Value, json};

use super::addon_catalogue::{self, CatalogueAddon};
use super::call::Call;
use super::error::{Error, Result};
use super::request::{Request, page_of, page_of_names};
use super::state::{Addon, Cluster, Status, Update};
use super::{updates, versions, view};

const MAKING: Duration = Duration::from_mins(1);
const DELETING: Duration = Duration::from_secs(30);
/// What most add-ons that fail fail of.
/// Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_AddonIssue.html>.
const CONFLICT: &str = "ConfigurationConflict";

fn known(name: &str, cluster: &str) -> Result<&'static CatalogueAddon> {
    let missing = || Error::parameter("Addon specified is not supported").cluster(cluster).addon(name);
    addon_catalogue::find(name).ok_or_else(missing)
}

fn find<'a>(cluster: &'a mut Cluster, name: &str) -> Result<&'a mut Addon> {
    let words = format!("No addon: {name} found in cluster: {}", cluster.name);
    let missing = Error::not_found(words).cluster(&cluster.name).addon(name);
    cluster.addons.get_mut(name).ok_or(missing)
}

/// The version of an add-on that fits the cluster: the wanted one if it is that of the catalogue.
fn choose(offered: &CatalogueAddon, wanted: Option<String>, cluster: &Cluster) -> Result<String> {
    let fitting =
        versions::find(&cluster.version).map(|version| offered.version_for(version)).unwrap_or_default();
    match wanted {
        Some(wanted) if wanted != fitting => {
            Err(Error::parameter("Addon version specified is not supported")
                .cluster(&cluster.name)
                .addon(offered.name))
        }
        _ => Ok(fitting),
    }
}

/// `CreateAddon`.
pub(crate) fn create(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let body = request.body();
    let name = body.required_text("addonName")?;
    let wanted = body.text("addonVersion")?;
    let role_arn = body.text("serviceAccountRoleArn")?;
    let configuration = body.text("configurationValues")?;
    let tags = body.map("tags")?;
    let cluster = call.eks().cluster(request.name(0))?.clone();
    let offered = known(&name, &cluster.name)?;
    let version = choose(offered, wanted, &cluster)?;
    if !matches!(cluster.status, Status::Active | Status::Updating) {
        let words = format!("Cluster '{}' is not in ACTIVE status", cluster.name);
        return Err(Error::request(words).cluster(&cluster.name).addon(&name));
    }
    if cluster.addons.contains_key(&name) {
        return Err(Error::in_use("Addon already exists.").cluster(&cluster.name).addon(&name));
    }
    if let Some(role) = &role_arn {
        call.check_role(role, None).map_err(|error| error.cluster(&cluster.name).addon(&name))?;
    }
    let id = call.world.random.uuid();
    let addon = Addon {
        arn: call.arn(&format!("addon/{}/{name}/{id}", cluster.name)),
        name: name.clone(),
        version,
        created_at: call.now.wall,
        modified_at: call.now.wall,
        status: Status::Creating,
        role_arn,
        configuration,
        tags,
        updates: Vec::new(),
        failure: call.effects.fail_while_creating().map(|code| code.unwrap_or(CONFLICT).to_owned()),
        due: call.due(&name, MAKING),
    };
    let shown = view::addon(&addon, &cluster.name);
    call.eks_mut().cluster_mut(&cluster.name)?.addons.insert(name, addon);
    Ok(json!({"addon": shown}))
}

/// `DescribeAddon`.
pub(crate) fn describe(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks_mut().cluster_mut(request.name(0))?;
    let name = cluster.name.clone();
    Ok(json!({"addon": view::addon(find(cluster, request.name(1))?, &name)}))
}

/// `ListAddons`.
pub(crate) fn list(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    page_of_names(request, "addons", call.eks().cluster(request.name(0))?.addons.keys())
}

/// `UpdateAddon`.
pub(crate) fn update(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let body = request.body();
    let wanted = body.text("addonVersion")?;
    let configuration = body.text("configurationValues")?;
    let cluster = call.eks().cluster(request.name(0))?.clone();
    let name = request.name(1).to_owned();
    let version = choose(known(&name, &cluster.name)?, wanted, &cluster)?;
    let update = updates::new(call, "AddonUpdate", vec![("AddonVersion", version.clone())], request.token()?);
    let shown = view::update(&update);
    let (due, now) = (call.due(&name, MAKING), call.now.wall);
    let cluster = call.eks_mut().cluster_mut(&cluster.name)?;
    let cluster_name = cluster.name.clone();
    let addon = find(cluster, &name)?;
    if addon.updates.iter().any(Update::in_progress) {
        let words = "Cannot update the addon because another update is in progress.";
        return Err(Error::in_use(words).cluster(&cluster_name).addon(&name));
    }
    addon.status = Status::Updating;
    addon.version = version;
    addon.configuration = configuration.or(addon.configuration.take());
    (addon.due, addon.modified_at) = (due, now);
    addon.updates.push(update);
    Ok(json!({"update": shown}))
}

/// `DeleteAddon`.
pub(crate) fn delete(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let due = call.due(request.name(1), DELETING);
    let cluster = call.eks_mut().cluster_mut(request.name(0))?;
    let name = cluster.name.clone();
    let addon = find(cluster, request.name(1))?;
    addon.status = Status::Deleting;
    addon.due = due;
    Ok(json!({"addon": view::addon(addon, &name)}))
}

/// `DescribeAddonVersions`.
pub(crate) fn describe_versions(request: &Request) -> Result<Value> {
    let version = request.query("kubernetesVersion");
    let name = request.query("addonName");
    if let Some(name) = name {
        known(name, "")?;
    }
    let wanted = addon_catalogue::ALL.iter().filter(|addon| name.is_none_or(|name| addon.name == name));
    page_of(request, "addons", wanted.map(|addon| (addon.name.to_owned(), addon.view(version))).collect())
}
