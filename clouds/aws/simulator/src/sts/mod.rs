//! The simulated STS: who is calling, and sessions of roles.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html>.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use pmks_simulation::{Now, StateError};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::iam::trust::{self, Asking};
use crate::iam::web_identity::{self, Refused};
use crate::iam::{Role, Session};
use crate::query::Query;
use crate::world::World;
use crate::xml::Xml;

/// Whether an action is called without a signature.
pub(crate) fn is_unsigned(action: &str) -> bool {
    action == "AssumeRoleWithWebIdentity"
}

/// Carries out one call.
pub(crate) fn handle(context: &mut Context<'_>, action: &str, query: &Query) -> Result<Xml> {
    match action {
        "GetCallerIdentity" => Ok(Xml::new()
            .text("Arn", &context.caller.arn)
            .text("UserId", &context.caller.user_id)
            .text("Account", &context.caller.account)),
        "AssumeRole" => assume_role(context, query),
        _ => Err(Error::unknown_action(action)),
    }
}

/// Carries out a call that proves the caller by something else than a signature.
pub(crate) fn without_signature(world: &mut World, now: Now, action: &str, query: &Query) -> Result<Xml> {
    if action != "AssumeRoleWithWebIdentity" {
        return Err(Error::unknown_action(action));
    }
    let claims =
        web_identity::read(query.required("WebIdentityToken")?, now.wall).map_err(
            |refused| match refused {
                Refused::Malformed => {
                    Error::bad("InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
                }
                Refused::Expired => Error::bad(
                    "ExpiredTokenException",
                    "Token expired: current date/time must be before the expiration date/time",
                ),
            },
        )?;
    let arn = query.required("RoleArn")?;
    let account = account_of(arn).to_owned();
    let not_allowed =
        || Error::new(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    let iam = world.iam(&account).ok_or_else(not_allowed)?;
    let provider = iam.providers.get(&claims.iss).ok_or_else(|| {
        let message = format!("No OpenIDConnect provider found in your account for {}", claims.iss);
        Error::bad("InvalidIdentityToken", message)
    })?;
    let audience = claims.aud.iter().find(|audience| provider.audiences.contains(audience));
    let audience = audience.ok_or_else(|| Error::bad("InvalidIdentityToken", "Incorrect token audience"))?;
    let issuer = claims.issuer_name();
    let keys = BTreeMap::from([
        (format!("{issuer}:sub"), claims.sub.clone()),
        (format!("{issuer}:aud"), audience.clone()),
    ]);
    let principals = [format!("arn:aws:iam::{account}:oidc-provider/{issuer}")];
    let action = "sts:AssumeRoleWithWebIdentity";
    let asking = Asking { kind: "Federated", principals: &principals, action, keys: &keys };
    let role = iam.role_by_arn(arn).filter(|role| role.is_known(now) && trust::allows(&role.trust, &asking));
    let role = role.ok_or_else(not_allowed)?.clone();
    let answer = session(world, now.wall, &account, &role, query)?;
    Ok(answer
        .text("SubjectFromWebIdentityToken", &claims.sub)
        .text("Audience", audience)
        .text("Provider", principals.concat()))
}

fn assume_role(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let arn = query.required("RoleArn")?;
    let account = account_of(arn).to_owned();
    let caller = &context.caller;
    let principals = [
        caller.arn.clone(),
        caller.principal_arn(),
        caller.account.clone(),
        format!("arn:aws:iam::{}:root", caller.account),
    ];
    let keys =
        query.get("ExternalId").map(|id| ("sts:ExternalId".to_owned(), id.to_owned())).into_iter().collect();
    let asking = Asking { kind: "AWS", principals: &principals, action: "sts:AssumeRole", keys: &keys };
    let role = context
        .world
        .iam(&account)
        .and_then(|iam| iam.role_by_arn(arn))
        .filter(|role| role.is_known(context.now) && trust::allows(&role.trust, &asking));
    // A role that does not exist is refused in the same words, so that nobody learns which exist.
    let role = role.cloned().ok_or_else(|| {
        let message =
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", caller.arn);
        Error::new(403, "AccessDenied", message)
    })?;
    session(context.world, context.now.wall, &account, &role, query)
}

fn session(world: &mut World, wall: Timestamp, account: &str, role: &Role, query: &Query) -> Result<Xml> {
    let name = query.required("RoleSessionName")?;
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_=,.@-".contains(character);
    if !(2..=64).contains(&name.len()) || !name.chars().all(allowed) {
        let message = format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        );
        return Err(Error::bad("ValidationError", message));
    }
    let seconds = query.number("DurationSeconds")?.unwrap_or(3600_i64);
    if !(900..=role.max_session_seconds).contains(&seconds) {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Error::bad("ValidationError", message));
    }
    let (key, session) = begin(world, wall, account, role, name, seconds);
    let credentials = Xml::new()
        .text("AccessKeyId", key)
        .text("SecretAccessKey", &session.secret)
        .text("SessionToken", &session.token)
        .text("Expiration", session.expires.strftime("%Y-%m-%dT%H:%M:%SZ"));
    let user = Xml::new().text("AssumedRoleId", &session.user_id).text("Arn", &session.arn);
    Ok(Xml::new().child("Credentials", &credentials).child("AssumedRoleUser", &user))
}

/// A new session of a role, with its access key's identifier.
fn begin(
    world: &mut World,
    wall: Timestamp,
    account: &str,
    role: &Role,
    name: &str,
    seconds: i64,
) -> (String, Session) {
    let session = Session {
        secret: world.new_secret(),
        token: format!("IQoJb3JpZ2luX2Vj{}", world.random.hex(64)),
        arn: format!("arn:aws:sts::{account}:assumed-role/{}/{name}", role.name),
        user_id: format!("{}:{name}", role.id),
        expires: wall.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX),
    };
    let mut random = world.random.clone();
    let key = world.account_mut(account).iam.add_session(session.clone(), &mut random);
    world.random = random;
    (key, session)
}

/// The event `{"type":"roleIsTakenOn","role":NAME,"session"?}`: a service of AWS that needs no trust here (a
/// container's agent, single sign-on) takes a role of the first account on, and is given its keys for an hour.
///
/// # Errors
/// When there is no such role.
pub(crate) fn from_event(
    world: &mut World,
    event: &Value,
    now: Now,
) -> std::result::Result<Value, StateError> {
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let name = text("role").ok_or_else(|| StateError("the event needs `role`".to_owned()))?;
    let found =
        world.accounts.iter().find_map(|(id, account)| Some((id.clone(), account.iam.role(name)?.clone())));
    let (account, role) = found.ok_or_else(|| StateError(format!("there is no role `{name}`")))?;
    let (key, session) = begin(world, now.wall, &account, &role, text("session").unwrap_or("service"), 3600);
    Ok(json!({
        "accessKeyId": key,
        "secretAccessKey": session.secret,
        "sessionToken": session.token,
        "expiration": session.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }))
}

fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}
