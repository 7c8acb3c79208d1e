//! The bearer token of an API call: who holds it, and whether its scopes open the service.
//!
//! Sources: <https://cloud.google.com/docs/authentication/token-types>, and for the JWT that a service account signs
//! for one API itself: <https://google.aip.dev/auth/4111>.

use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use jiff::Timestamp;

use super::{CLOUD_PLATFORM, Principal, State, jwt};
use crate::error::{Code, Error, Result};
use crate::route::{Route, Service};

/// A caller who is known, and what the token opens.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) principal: Principal,
    pub(crate) scopes: Vec<String>,
}

impl Access {
    /// Whether the token has one of these scopes.
    pub(crate) fn has(&self, scopes: &[&str]) -> bool {
        self.scopes.iter().any(|scope| scopes.contains(&scope.as_str()))
    }
}

/// Who calls.
///
/// # Errors
/// 401 without a token or with a wrong one, 403 where its scopes do not open the call.
pub(crate) fn verify(
    request: &Request<Bytes>,
    state: &State,
    route: &Route,
    now: Timestamp,
) -> Result<Access> {
    let service = route.service.host();
    let metadata = [("service", service.as_str()), ("method", route.action.as_str())];
    let Some(token) = bearer(request) else {
        return Err(Error::new(
            Code::Unauthenticated,
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or \
             other valid authentication credential. See \
             https://developers.google.com/identity/sign-in/web/devconsole-project.",
        )
        .info("CREDENTIALS_MISSING", "googleapis.com", &metadata)
        .at_the_door());
    };
    let access = holder(state, &token, Some(&service), now).map_err(|reason| {
        Error::new(
            Code::Unauthenticated,
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other \
             valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        )
        .info(reason, "googleapis.com", &metadata)
        .at_the_door()
    })?;
    if access.has(&opening(route)) {
        return Ok(access);
    }
    Err(Error::new(Code::PermissionDenied, "Request had insufficient authentication scopes.")
        .reason("insufficientPermissions")
        .info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "googleapis.com", &metadata)
        .at_the_door())
}

/// Who holds this token. `service`: for which API a token is accepted that its holder signed himself.
///
/// # Errors
/// Google's reason why nobody does.
pub(crate) fn holder(
    state: &State,
    token: &str,
    service: Option<&str>,
    now: Timestamp,
) -> std::result::Result<Access, &'static str> {
    if let Some(known) = state.tokens.get(token) {
        return match known.expires {
            Some(expires) if expires <= now => Err("ACCESS_TOKEN_EXPIRED"),
            _ => Ok(Access { principal: known.principal.clone(), scopes: known.scopes.clone() }),
        };
    }
    service
        .and_then(|service| signed_by_its_holder(state, token, service, now))
        .ok_or("ACCESS_TOKEN_TYPE_UNSUPPORTED")
}

fn signed_by_its_holder(state: &State, token: &str, service: &str, now: Timestamp) -> Option<Access> {
    let jwt = jwt::read(token)?;
    let claims = &jwt.claims;
    let account = state.accounts.get(&claims.iss)?;
    let key = account.keys.get(jwt.key_id.as_deref()?)?;
    let in_time = claims.iat <= now.as_second() + 300
        && claims.exp > now.as_second()
        && claims.exp - claims.iat <= 3600;
    let right = in_time
        && claims.sub.as_deref() == Some(account.email.as_str())
        && jwt.is_signed(|message, signature| key.verifies(message, signature));
    if !right {
        return None;
    }
    let scopes = match &claims.scope {
        Some(scopes) => scopes.split(' ').map(str::to_owned).collect(),
        None if claims.is_for(|audience| audience.trim_end_matches('/') == format!("https://{service}")) => {
            vec![CLOUD_PLATFORM.to_owned()]
        }
        None => return None,
    };
    Some(Access { principal: account.principal(), scopes })
}

fn bearer(request: &Request<Bytes>) -> Option<String> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = header?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim().to_owned())
}

/// The scopes of which one opens a call, as the discovery documents list them.
fn opening(route: &Route) -> Vec<&'static str> {
    let mut scopes = vec![CLOUD_PLATFORM];
    let (all, reading): (&[&str], &[&str]) = match route.service {
        Service::Container => (
            &["https://www.googleapis.com/auth/container"],
            &["https://www.googleapis.com/auth/container.read-only"],
        ),
        Service::Compute => (
            &["https://www.googleapis.com/auth/compute"],
            &["https://www.googleapis.com/auth/compute.readonly"],
        ),
        Service::ServiceUsage => (
            &["https://www.googleapis.com/auth/service.management"],
            &["https://www.googleapis.com/auth/cloud-platform.read-only"],
        ),
        Service::Monitoring => (
            &["https://www.googleapis.com/auth/monitoring"],
            &["https://www.googleapis.com/auth/monitoring.read"],
        ),
        Service::ResourceManager => (&[], &["https://www.googleapis.com/auth/cloud-platform.read-only"]),
        Service::IamCredentials => (&["https://www.googleapis.com/auth/iam"], &[]),
        Service::Sts | Service::OAuth | Service::Metadata => (&[], &[]),
    };
    scopes.extend(all);
    if route.reads() {
        scopes.extend(reading);
    }
    scopes
}
