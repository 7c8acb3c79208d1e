//! Updates: the record of what was changed on a cluster, a node group or an add-on, and how it went.

use serde_json::{Value, json};

use super::call::Call;
use super::error::{Error, Result};
use super::request::{Request, page_of};
use super::state::Update;
use super::view;

/// An update that begins now.
pub(crate) fn new(
    call: &mut Call<'_>,
    kind: &str,
    params: Vec<(&str, String)>,
    token: Option<String>,
) -> Update {
    Update {
        id: call.world.random.uuid(),
        status: "InProgress".to_owned(),
        kind: kind.to_owned(),
        params: params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        created_at: call.now.wall,
        errors: Vec::new(),
        token,
    }
}

/// The update that a repeated request began, if its token is known and its kind the same.
pub(crate) fn repeated<'a>(updates: &'a [Update], token: Option<&str>, kind: &str) -> Option<&'a Update> {
    let token = token?;
    updates.iter().find(|update| update.token.as_deref() == Some(token) && update.kind == kind)
}

/// The updates of what the request names: a node group or an add-on of the cluster, else the cluster itself.
fn of<'a>(call: &'a Call<'_>, request: &Request) -> Result<&'a [Update]> {
    let cluster = call.eks().cluster(request.name(0))?;
    if let Some(name) = request.query("nodegroupName") {
        return Ok(&cluster.node_group(name)?.updates);
    }
    if let Some(name) = request.query("addonName") {
        let missing = || Error::not_found(format!("No addon: {name} found in cluster: {}", cluster.name));
        return Ok(&cluster
            .addons
            .get(name)
            .ok_or_else(|| missing().cluster(&cluster.name).addon(name))?
            .updates);
    }
    Ok(&cluster.updates)
}

/// `DescribeUpdate`.
pub(crate) fn describe(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let id = request.name(1);
    let found = of(call, request)?.iter().find(|update| update.id == id);
    let missing = || Error::not_found(format!("No update found for ID: {id}")).cluster(request.name(0));
    Ok(json!({"update": view::update(found.ok_or_else(missing)?)}))
}

/// `ListUpdates`, newest first.
pub(crate) fn list(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let numbered = of(call, request)?.iter().enumerate();
    // Keys that fall with each update put the newest first, wherever new ones come in between two pages.
    let items =
        numbered.map(|(number, update)| (format!("{:010}", 9_999_999_999 - number), json!(update.id)));
    page_of(request, "updateIds", items.collect())
}
