//! The token endpoints: client credentials against a token, by secret or by assertion.
//!
//! Sources: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>,
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pmks_simulation::Random;
use serde_json::{Value, json};

use super::assertion::{self, Expected};
use super::{Application, Directory};
use crate::reply::Reply;

/// How long a token counts, in seconds.
const LIFETIME: i64 = 3599;

/// One request for a token.
pub(crate) struct Request<'a> {
    /// Where the client reaches this cloud.
    pub(crate) base: &'a str,
    /// The tenant in the path.
    pub(crate) tenant: &'a str,
    /// Whether it came to the endpoint of version 2.
    pub(crate) v2: bool,
    /// The form.
    pub(crate) form: BTreeMap<String, String>,
    /// The date.
    pub(crate) now: Timestamp,
}

/// A refusal in the words of Entra ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    status: u16,
    error: &'static str,
    code: u32,
    says: String,
}

impl Refused {
    fn new(status: u16, error: &'static str, code: u32, says: impl Into<String>) -> Self {
        Self { status, error, code, says: says.into() }
    }

    /// The client has not proven itself.
    pub(super) fn client(code: u32, says: impl Into<String>) -> Self {
        Self::new(401, "invalid_client", code, says)
    }

    fn reply(&self, random: &mut Random, now: Timestamp) -> Reply {
        let (trace, correlation) = (random.uuid(), random.uuid());
        let time = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}",
            self.code, self.says
        );
        Reply::new(
            self.status,
            json!({
                "error": self.error, "error_description": description, "error_codes": [self.code],
                "timestamp": time, "trace_id": trace, "correlation_id": correlation,
                "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
            }),
        )
    }
}

/// Answers a request for a token, with the error's name where it is refused.
pub(crate) fn answer(
    directory: &Directory,
    random: &mut Random,
    request: &Request<'_>,
) -> (Reply, Option<String>) {
    match grant(directory, random, request) {
        Ok(granted) => (Reply::ok(granted), None),
        Err(refused) => (refused.reply(random, request.now), Some(refused.error.to_owned())),
    }
}

fn grant(directory: &Directory, random: &mut Random, request: &Request<'_>) -> Result<Value, Refused> {
    let adfs = request.tenant.eq_ignore_ascii_case("adfs");
    if !adfs && !request.tenant.eq_ignore_ascii_case(&directory.tenant) {
        let says = format!(
            "Tenant '{}' not found. Check to make sure you have the correct tenant ID.",
            request.tenant
        );
        return Err(Refused::new(400, "invalid_request", 90_002, says));
    }
    let needed = |name: &str| {
        let missing = || {
            let says = format!("The request body must contain the following parameter: '{name}'.");
            Refused::new(400, "invalid_request", 900_144, says)
        };
        request.form.get(name).filter(|value| !value.is_empty()).ok_or_else(missing)
    };
    let kind = needed("grant_type")?;
    if kind != "client_credentials" {
        let says = format!("The app requested an unsupported grant type '{kind}'.");
        return Err(Refused::new(400, "unsupported_grant_type", 70_003, says));
    }
    let client_id = needed("client_id")?;
    let application = directory.applications.get(client_id).ok_or_else(|| {
        let says = format!(
            "Application with identifier '{client_id}' was not found in the directory '{}'.",
            directory.tenant
        );
        Refused::new(400, "unauthorized_client", 700_016, says)
    })?;
    prove(directory, application, client_id, request)?;
    let resource = if request.v2 || request.form.contains_key("scope") {
        of_scope(needed("scope")?)?
    } else {
        needed("resource")?.clone()
    };
    let token = signed(directory, random, application, (client_id, &resource), request.now);
    let expires = request.now.as_second() + LIFETIME;
    Ok(if request.v2 {
        json!({"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": token})
    } else {
        json!({
            "token_type": "Bearer", "expires_in": LIFETIME.to_string(), "ext_expires_in": LIFETIME.to_string(),
            "expires_on": expires.to_string(), "not_before": request.now.as_second().to_string(),
            "resource": resource, "access_token": token,
        })
    })
}

fn of_scope(scope: &str) -> Result<String, Refused> {
    // OpenID's own scopes, which clients add, ask for nothing here.
    let mut scopes = scope.split(' ').filter(|scope| scope.contains("/.default"));
    let resource = scopes.next().and_then(|scope| scope.strip_suffix("/.default"));
    resource.map(str::to_owned).ok_or_else(|| {
        let says = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with \
             /.default suffixed to the resource identifier (application ID URI)."
        );
        Refused::new(400, "invalid_scope", 1_002_012, says)
    })
}

fn prove(
    directory: &Directory,
    application: &Application,
    client_id: &str,
    request: &Request<'_>,
) -> Result<(), Refused> {
    if let Some(assertion) = request.form.get("client_assertion") {
        let kind = request.form.get("client_assertion_type").map(String::as_str);
        if kind != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
            return Err(Refused::client(50027, "The client assertion type is not supported."));
        }
        let audiences = audiences(directory, request);
        let now = request.now.as_second();
        return assertion::check(application, assertion, &Expected { client_id, audiences: &audiences, now });
    }
    match request.form.get("client_secret") {
        None => Err(Refused::client(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )),
        Some(secret) if application.secrets.contains(secret) => Ok(()),
        Some(_) => Err(Refused::client(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
                 value, not the client secret ID, for a secret added to app '{client_id}'."
            ),
        )),
    }
}

/// The token endpoint and the issuer, by the name that the client used.
fn audiences(directory: &Directory, request: &Request<'_>) -> Vec<String> {
    let root = format!("{}/{}", request.base, request.tenant);
    vec![
        format!("{root}/oauth2/v2.0/token"),
        format!("{root}/oauth2/token"),
        format!("{root}/v2.0"),
        format!("https://sts.windows.net/{}/", directory.tenant),
    ]
}

fn signed(
    directory: &Directory,
    random: &mut Random,
    application: &Application,
    (client_id, resource): (&str, &str),
    now: Timestamp,
) -> String {
    let tenant = &directory.tenant;
    let issued = now.as_second();
    directory.keys.sign(&json!({
        "aud": resource, "iss": format!("https://sts.windows.net/{tenant}/"),
        "iat": issued, "nbf": issued, "exp": issued + LIFETIME,
        "appid": client_id, "appidacr": "1", "idp": format!("https://sts.windows.net/{tenant}/"), "idtyp": "app",
        "oid": application.object_id, "sub": application.object_id, "tid": tenant, "uti": random.hex(22), "ver": "1.0",
        // Entra's own note in a token, which nobody else reads.
        "aio": directory.ended.to_string(),
    }))
}

/// A token of the offered application for ARM, for clients that bring their own.
pub(crate) fn access_token(directory: &Directory, random: &mut Random, now: Timestamp) -> Option<String> {
    let (client_id, application) = directory.applications.iter().next()?;
    Some(signed(directory, random, application, (client_id, "https://management.azure.com/"), now))
}
