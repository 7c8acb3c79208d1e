//! The files that hold credentials of Google, as texts. Reads no file.
//!
//! Source: <https://google.aip.dev/auth/4110>

use pmks_model::Findings;
use secrecy::SecretString;
use serde_json::Value;

use super::external::External;
use super::{AuthorizedUser, Found, Origin, ServiceAccount};

/// Where service accounts' keys say that tokens are given. A key that names another place would be sent there.
const TOKEN_URIS: [&str; 4] = [
    "https://oauth2.googleapis.com/token",
    "https://accounts.google.com/o/oauth2/token",
    "https://www.googleapis.com/oauth2/v3/token",
    "https://www.googleapis.com/oauth2/v4/token",
];

/// The domain of Google's own services.
const UNIVERSE: &str = "googleapis.com";

/// What is wrong with a file, for people; never what is in it.
type Refusal = String;

/// A service account's key as Google hands it out.
///
/// # Errors
/// A finding on `field`.
pub(crate) fn service_account(text: &str, field: &str) -> Result<Found, Findings> {
    let refused = |says: String| {
        let mut findings = Findings::default();
        findings.add(field, says);
        findings
    };
    let file = object(text).map_err(refused)?;
    match word(&file, "type").as_deref() {
        Some("service_account") => {
            refuse_other_universe(&file).and_then(|()| of_service_account(&file)).map_err(refused)
        }
        Some(kind) => Err(refused(format!("is of type {kind:?}, not service_account"))),
        None => Err(refused("has no type: give the whole JSON of a service account's key".to_owned())),
    }
}

/// Any kind of credential that may stand in a file of the machine that this runs on.
///
/// # Errors
/// A sentence for people.
pub(super) fn any(text: &str) -> Result<Found, Refusal> {
    of(&object(text)?)
}

fn of(file: &Value) -> Result<Found, Refusal> {
    refuse_other_universe(file)?;
    match word(file, "type").as_deref() {
        Some("service_account") => of_service_account(file),
        Some("authorized_user") => of_authorized_user(file),
        Some("external_account") => of_external_account(file),
        Some("impersonated_service_account") => of_impersonated(file),
        Some(kind) => Err(format!(
            "is of type {kind:?}; known are service_account, authorized_user, external_account and \
             impersonated_service_account"
        )),
        None => Err("has no type".to_owned()),
    }
}

/// A file may be for another cloud that runs Google's software, whose services stand elsewhere: this one would be asked in
/// its stead.
///
/// Source: <https://google.aip.dev/auth/4116>
fn refuse_other_universe(file: &Value) -> Result<(), Refusal> {
    match word(file, "universe_domain") {
        Some(domain) if domain != UNIVERSE => {
            Err(format!("is of the universe {domain:?}; only {UNIVERSE} is known"))
        }
        _ => Ok(()),
    }
}

fn of_service_account(file: &Value) -> Result<Found, Refusal> {
    if let Some(uri) = word(file, "token_uri")
        && !TOKEN_URIS.contains(&uri.as_str())
    {
        return Err("names a token_uri that is not Google's own".to_owned());
    }
    let email = needed(file, "client_email")?;
    let account = ServiceAccount::new(&email, &needed(file, "private_key")?, word(file, "private_key_id"));
    let account = account.ok_or("has a private_key that is no RSA key in PEM")?;
    let project = word(file, "project_id");
    Ok(Found { origin: Origin::ServiceAccount(account), project, quota_project: None })
}

fn of_authorized_user(file: &Value) -> Result<Found, Refusal> {
    let user = AuthorizedUser {
        client_id: needed(file, "client_id")?,
        client_secret: SecretString::from(needed(file, "client_secret")?),
        refresh_token: SecretString::from(needed(file, "refresh_token")?),
        account: word(file, "account"),
    };
    let quota_project = word(file, "quota_project_id");
    Ok(Found { origin: Origin::AuthorizedUser(user), project: quota_project.clone(), quota_project })
}

fn of_external_account(file: &Value) -> Result<Found, Refusal> {
    let external = External::of(file)?;
    let email = word(file, "service_account_impersonation_url").map(|url| impersonated(&url)).transpose()?;
    let origin = Origin::External(Box::new(external)).acting_for(email.as_deref());
    Ok(Found { origin, project: None, quota_project: word(file, "quota_project_id") })
}

fn of_impersonated(file: &Value) -> Result<Found, Refusal> {
    let source = file.get("source_credentials").ok_or("has no source_credentials")?;
    let email = impersonated(&needed(file, "service_account_impersonation_url")?)?;
    let found = of(source)?;
    Ok(Found { origin: found.origin.acting_for(Some(&email)), ..found })
}

/// The service account in `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/EMAIL:generateAccessToken`.
/// The URL itself is not followed: the connection's own endpoint of the service is.
fn impersonated(url: &str) -> Result<String, Refusal> {
    url.strip_prefix("https://iamcredentials.")
        .and_then(|rest| rest.split_once("/serviceAccounts/"))
        .filter(|(host, _)| host.starts_with("googleapis.com/"))
        .and_then(|(_, rest)| rest.strip_suffix(":generateAccessToken"))
        .filter(|email| email.contains('@') && !email.contains('/'))
        .map(str::to_owned)
        .ok_or_else(|| "names a service_account_impersonation_url that is not Google's own".to_owned())
}

fn object(text: &str) -> Result<Value, Refusal> {
    let file: Value = serde_json::from_str(text.trim()).map_err(|_| "is no JSON".to_owned())?;
    if file.is_object() { Ok(file) } else { Err("is no JSON object".to_owned()) }
}

/// A text that is there and not empty.
pub(super) fn word(file: &Value, name: &str) -> Option<String> {
    file.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A text that must be there.
pub(super) fn needed(file: &Value, name: &str) -> Result<String, Refusal> {
    word(file, name).ok_or_else(|| format!("has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::KEY;
    use super::*;
    use serde_json::json;

    fn key(change: &Value) -> String {
        let mut file = json!({
            "type": "service_account", "project_id": "proj", "private_key_id": "k1", "private_key": KEY,
            "client_email": "pmks@proj.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token",
        });
        file.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        file.to_string()
    }

    #[test]
    fn a_key_is_read_and_a_strange_place_for_tokens_refused() {
        let own = json!({"universe_domain": "googleapis.com"});
        assert!(service_account(&key(&own), "credential.serviceAccountKey").is_ok());
        let found = service_account(&key(&json!({})), "credential.serviceAccountKey").unwrap();
        assert_eq!(found.project.as_deref(), Some("proj"));
        assert_eq!(found.origin.principal().as_deref(), Some("pmks@proj.iam.gserviceaccount.com"));
        for (text, says) in [
            (key(&json!({"token_uri": "https://evil.example/token"})), "token_uri that is not Google's own"),
            (key(&json!({"token_uri": "http://oauth2.googleapis.com/token"})), "token_uri"),
            (key(&json!({"universe_domain": "evil.example"})), "of the universe \"evil.example\""),
            (key(&json!({"private_key": "hunter2"})), "no RSA key in PEM"),
            (key(&json!({"client_email": ""})), "has no client_email"),
            (key(&json!({"type": "external_account"})), "not service_account"),
            ("[]".to_owned(), "no JSON object"),
            ("hunter2".to_owned(), "is no JSON"),
        ] {
            let findings = service_account(&text, "credential.serviceAccountKey").unwrap_err().to_string();
            assert!(findings.contains(says), "{findings}");
            assert!(findings.starts_with("credential.serviceAccountKey"), "{findings}");
            assert!(!findings.contains("hunter2"), "{findings}");
        }
    }

    #[test]
    fn every_kind_of_file_has_its_origin() {
        let user = json!({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
            "quota_project_id": "quota"});
        let external = json!({"type": "external_account", "audience": "//iam.googleapis.com/a",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": {"file": "/token"}});
        let url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken";
        let mut acting = external.clone();
        acting["service_account_impersonation_url"] = json!(url);
        let impersonated = json!({"type": "impersonated_service_account", "source_credentials": user,
            "service_account_impersonation_url": url});
        for (file, word, principal) in [
            (&user, "AuthorizedUser", "a user of the client c"),
            (&external, "External", "//iam.googleapis.com/a"),
            (&acting, "Impersonated", "a@b.iam.gserviceaccount.com"),
            (&impersonated, "Impersonated", "a@b.iam.gserviceaccount.com"),
        ] {
            let found = any(&file.to_string()).unwrap();
            assert_eq!(format!("{:?}", found.origin), word);
            assert_eq!(found.origin.principal().as_deref(), Some(principal));
        }
        assert_eq!(any(&user.to_string()).unwrap().quota_project.as_deref(), Some("quota"));
        let mut evil = acting;
        evil["service_account_impersonation_url"] = json!(
            "https://iamcredentials.evil.example/googleapis.com/serviceAccounts/a@b:generateAccessToken"
        );
        assert!(any(&evil.to_string()).unwrap_err().contains("not Google's own"));
        let mut elsewhere = user;
        elsewhere["universe_domain"] = json!("apis.elsewhere.example");
        assert!(any(&elsewhere.to_string()).unwrap_err().contains("apis.elsewhere.example"));
        assert!(any(r#"{"type": "gdch_service_account"}"#).unwrap_err().contains("gdch_service_account"));
    }
}
