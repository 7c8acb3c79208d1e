//! What every call through Azure Resource Manager shares: who calls, with which API version and preconditions, and how
//! lists are paged.

use std::collections::BTreeMap;

use pmks_simulation::{Effects, Now, pages};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::catalogue;
use crate::entra::Caller;
use crate::error::{Error, Result};
use crate::json::text;
use crate::world::{Document, Subscription, World};

/// Items of a page, where the caller does not ask for fewer. Azure does not publish its own numbers.
const PAGE: usize = 50;

/// One call whose caller is known.
pub(crate) struct Call<'a> {
    /// The world, settled up to `now`.
    pub(crate) world: &'a mut World,
    /// The moment, in both readings.
    pub(crate) now: Now,
    /// How many times faster than the real cloud work goes: what clients are asked to wait is that much shorter.
    pub(crate) pace: u64,
    /// Faults that only the service can act out.
    pub(crate) effects: &'a Effects,
    /// Where the client reaches this cloud, without a slash at the end.
    pub(crate) base: String,
    /// Who called.
    pub(crate) caller: Caller,
    /// The names in the path.
    pub(crate) names: Vec<String>,
    /// The scope before an extension resource.
    pub(crate) scope: String,
    /// The path, as it came.
    pub(crate) path: String,
    /// The parameters.
    pub(crate) query: BTreeMap<String, String>,
    /// The body; null where there is none.
    pub(crate) body: Value,
    /// `If-Match`.
    pub(crate) if_match: Option<String>,
    /// `If-None-Match`.
    pub(crate) if_none_match: Option<String>,
}

impl Call<'_> {
    /// The name at this place of the path; empty where there is none.
    pub(crate) fn name(&self, index: usize) -> &str {
        self.names.get(index).map(String::as_str).unwrap_or_default()
    }

    /// Of an extension resource the subscription stands in its scope; elsewhere it is the first of the names, and is so
    /// now, too.
    pub(crate) fn name_scope(&mut self) {
        let subscription = self.scope.split('/').nth(2).unwrap_or_default().to_owned();
        self.names.insert(0, subscription);
    }

    /// The subscription of the path, which the front has found.
    pub(crate) fn subscription(&self) -> &Subscription {
        self.world.subscription(self.name(0))
    }

    /// The same, to change.
    pub(crate) fn subscription_mut(&mut self) -> &mut Subscription {
        let id = self.name(0).to_ascii_lowercase();
        self.world.subscription_mut(&id)
    }

    /// The resource group of the path, by the name that it was made with.
    ///
    /// # Errors
    /// `ResourceGroupNotFound`, `ResourceGroupBeingDeleted` for a write into one that goes.
    pub(crate) fn group(&self) -> Result<String> {
        let name = self.name(1);
        let group = self.subscription().groups.get(&name.to_ascii_lowercase());
        let group = group.ok_or_else(|| no_such_group(name))?;
        if group.state == "Deleting" && !self.body.is_null() {
            let says = format!(
                "The resource group '{name}' is in deprovisioning state and cannot perform this operation."
            );
            return Err(Error::new(409, "ResourceGroupBeingDeleted", says));
        }
        Ok(group.name.clone())
    }

    /// `/subscriptions/S/resourceGroups/G/providers/` with this rest.
    ///
    /// # Errors
    /// As [`Self::group`].
    pub(crate) fn id(&self, rest: &str) -> Result<String> {
        let group = self.group()?;
        Ok(format!("/subscriptions/{}/resourceGroups/{group}/providers/{rest}", self.subscription().id))
    }

    /// A list in ARM's shape, one page of it.
    ///
    /// # Errors
    /// When the `$skipToken` is none of ours.
    pub(crate) fn page(&self, items: Vec<(String, Value)>) -> Result<Value> {
        let asked = self.query.get("$top").and_then(|top| top.parse().ok()).unwrap_or(PAGE);
        let token = self.query.get("$skiptoken").map(String::as_str);
        let strange = |_| Error::bad("InvalidSkipToken", "The $skipToken query parameter is not valid.");
        let (shown, next) = pages::page(items, asked.clamp(1, 1000), token).map_err(strange)?;
        let next = next.map(|token| self.next_link(&token));
        Ok(json!({"value": shown, "nextLink": next}))
    }

    fn next_link(&self, token: &str) -> String {
        let kept = self.query.iter().filter(|(name, _)| *name != "$skiptoken");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("$skipToken", token)
            .finish();
        format!("{}{}?{query}", self.base, self.path)
    }

    /// Holds what stands against the preconditions of the request.
    ///
    /// # Errors
    /// 412 where they do not hold.
    ///
    /// Source: <https://learn.microsoft.com/azure/aks/use-etags>.
    pub(crate) fn precondition(&self, etag: Option<&str>) -> Result<()> {
        let failed = |says: String| Err(Error::new(412, "PreconditionFailed", says));
        let bare = |tag: &str| tag.trim_start_matches("W/").trim_matches('"').to_owned();
        match (self.if_match.as_deref(), etag) {
            (Some(_), None) => failed(
                "Resource not found but ETag header is provided. If this is a request to create, please do not \
                 provide ETag."
                    .to_owned(),
            ),
            (Some(wanted), Some(etag)) if wanted != "*" && bare(wanted) != bare(etag) => failed(format!(
                "Etag provided in if-match header {wanted} does not match etag {etag} of resource."
            )),
            _ => match (self.if_none_match.as_deref(), etag) {
                (Some("*"), Some(etag)) => failed(format!(
                    "Etag provided in if-none-match header * matches etag {etag} of resource. The resource exists."
                )),
                _ => Ok(()),
            },
        }
    }

    /// The location in the body, as Azure writes it.
    ///
    /// # Errors
    /// Where there is none, or no such region.
    pub(crate) fn location(&self, kind: &str) -> Result<String> {
        let Some(given) = text(&self.body, "location") else {
            return Err(Error::bad(
                "LocationRequired",
                "The location property is required for this definition.",
            ));
        };
        let region = catalogue::region(given).ok_or_else(|| {
            let known: Vec<&str> = catalogue::REGIONS.iter().map(|region| region.name).collect();
            Error::bad(
                "LocationNotAvailableForResourceType",
                format!(
                    "The provided location '{given}' is not available for resource type '{kind}'. List of available \
                     regions for the resource type is '{}'.",
                    known.join(",")
                ),
            )
        })?;
        Ok(region.name.to_owned())
    }

    /// Refuses to move what stands elsewhere.
    ///
    /// # Errors
    /// `InvalidResourceLocation`.
    pub(crate) fn same_location(&self, known: &str, asked: &str, name: &str) -> Result<()> {
        if known == asked {
            return Ok(());
        }
        Err(Error::new(
            409,
            "InvalidResourceLocation",
            format!(
                "The resource '{name}' already exists in location '{known}' in resource group '{}'. A resource with \
                 the same name cannot be created in location '{asked}'. Please select a new resource name.",
                self.name(1)
            ),
        ))
    }

    /// Refuses what a provider does that is not registered.
    ///
    /// # Errors
    /// `MissingSubscriptionRegistration`.
    ///
    /// Source: <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-register-resource-provider>.
    pub(crate) fn registered(&self, namespace: &str) -> Result<()> {
        if self.subscription().is_registered(namespace) {
            return Ok(());
        }
        Err(Error::new(
            409,
            "MissingSubscriptionRegistration",
            format!(
                "The subscription is not registered to use namespace '{namespace}'. See \
                 https://aka.ms/rps-not-found for how to register subscriptions."
            ),
        )
        .about(namespace))
    }

    /// The document of this id.
    ///
    /// # Errors
    /// `ResourceNotFound`.
    pub(crate) fn document(&self, id: &str) -> Result<&Document> {
        let found = self.subscription().documents.get(&key(id));
        found.ok_or_else(|| no_such_resource(id))
    }

    /// Documents of a kind, all or those of the group in the path, as they are shown.
    ///
    /// # Errors
    /// When the group is not there.
    pub(crate) fn documents(&self, kind: &str, of_group: bool) -> Result<Vec<(String, Value)>> {
        let prefix = if of_group { key(&self.id(kind)?) } else { String::new() };
        let of_kind =
            |(id, document): &(&String, &Document)| document.kind == kind && id.starts_with(&prefix);
        let documents = self.subscription().documents.iter().filter(of_kind);
        Ok(documents.map(|(id, document)| (id.clone(), document.show())).collect())
    }

    /// A new entity tag.
    pub(crate) fn etag(&mut self) -> String {
        self.world.random.uuid()
    }
}

/// How identifiers are compared: Azure does not mind capitals.
pub(crate) fn key(id: &str) -> String {
    id.to_ascii_lowercase()
}

/// There is no such resource group.
pub(crate) fn no_such_group(name: &str) -> Error {
    Error::new(404, "ResourceGroupNotFound", format!("Resource group '{name}' could not be found."))
}

/// There is no such resource, said as ARM does.
pub(crate) fn no_such_resource(id: &str) -> Error {
    let (group, kind) = split(id);
    Error::new(
        404,
        "ResourceNotFound",
        format!(
            "The Resource '{kind}' under resource group '{group}' was not found. For more details please go to \
             https://aka.ms/ARMResourceNotFoundFix"
        ),
    )
}

/// The group of an id, and what follows `providers`.
pub(crate) fn split(id: &str) -> (&str, &str) {
    let group = id.split('/').nth(4).unwrap_or_default();
    let kind = id.split_once("/providers/").map(|(_, rest)| rest).unwrap_or_default();
    (group, kind)
}

/// The last name of an id.
pub(crate) fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or_default()
}

/// A name by the rules of networks.
///
/// # Errors
/// `InvalidResourceName`.
///
/// Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = name.as_bytes();
    let fine = (1..=80).contains(&bytes.len())
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(|byte| word(*byte))
        && bytes.iter().all(|byte| word(*byte) || matches!(byte, b'.' | b'-'));
    if fine {
        return Ok(());
    }
    Err(Error::bad(
        "InvalidResourceName",
        format!(
            "Resource name {name} is invalid. The name can be up to 80 characters long. It must begin with a word \
             character, and it must end with a word character or with '_'. The name may contain word characters or \
             '.', '-', '_'."
        ),
    ))
}
