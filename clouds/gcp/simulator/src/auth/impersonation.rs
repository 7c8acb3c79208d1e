//! IAM Service Account Credentials: an access token of another account, for those who may act as it.

use jiff::SignedDuration;
use pmks_simulation::Now;
use serde_json::{Value, json};

use super::Principal;
use super::state::LIFETIME;
use super::token_endpoint::scopes;
use crate::error::{Code, Error, Result};
use crate::world::World;

/// Gives a token of the account of this email.
///
/// # Errors
/// 403 where the caller may not, or there is no such account; 400 for a wrong scope or lifetime.
pub(crate) fn generate_access_token(
    world: &mut World,
    now: Now,
    caller: &Principal,
    email: &str,
    body: &[u8],
) -> Result<Value> {
    let body: Value =
        serde_json::from_slice(body).map_err(|_| Error::invalid("Invalid JSON payload received."))?;
    let account =
        world.auth.accounts.values().find(|account| account.email == email || account.unique_id == email);
    let account =
        account.filter(|account| account.token_creators.contains(&caller.member)).ok_or_else(|| {
            let permission = "iam.serviceAccounts.getAccessToken";
            let says = format!("Permission '{permission}' denied on resource (or it may not exist).");
            Error::new(Code::PermissionDenied, says).info(
                "IAM_PERMISSION_DENIED",
                "iam.googleapis.com",
                &[("permission", permission)],
            )
        })?;
    let asked = body.get("scope").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let asked: Vec<&str> = asked.collect();
    let scopes = scopes(Some(&asked.join(" ")))
        .map_err(|_| Error::invalid("Request contains an invalid argument."))?;
    let lifetime = match body.get("lifetime").and_then(Value::as_str) {
        None => LIFETIME,
        Some(text) => text
            .strip_suffix('s')
            .and_then(|seconds| seconds.parse().ok())
            .filter(|seconds| (1..=LIFETIME).contains(seconds))
            .ok_or_else(|| Error::invalid("The lifetime field value must not exceed 3600s."))?,
    };
    let principal = account.principal();
    let token = world.auth.give(principal, scopes, Some(lifetime), &mut world.random, now.wall);
    let expires = now.wall + SignedDuration::from_secs(lifetime);
    Ok(json!({"accessToken": token, "expireTime": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()}))
}
