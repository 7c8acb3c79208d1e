//! Where keys come from: the connection itself, a role taken on with them or with an identity provider's token, or
//! the environment that an ambient connection is handed. Short-lived keys stay in memory, and are renewed before they
//! end, or when AWS refuses them; the environment is never read by itself. What only AWS' own chain finds is `ambient`'s.
//!
//! AWS authenticates a request before it looks at what it asks for
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/intro-structure.html>), and its own clients send what was refused
//! with ended keys again, whatever it is:
//! <https://github.com/aws/aws-sdk-go/blob/main/aws/request/retryer.go>, `credsExpiredCodes`.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use aws_credential_types::Credentials as Keys;
use jiff::{SignedDuration, Timestamp};
use pmks_driver::{Credential, DriverError, ErrorKind, House, Result};
use pmks_transport::{Renewable, Renewal, SignError};
use secrecy::{ExposeSecret, SecretString};

use crate::api::Api;
use crate::credential::{KeySource, StaticKeys};
use crate::wire::sts::RoleKeys;

/// How long before their end keys are renewed: longer than any call takes.
pub(crate) const RENEWED_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// What AWS' records call our sessions, where nothing else names them.
const SESSION: &str = "pmks";

/// Where a connection's keys come from.
#[derive(Clone)]
pub(crate) enum Origin {
    /// From the connection, or from the environment.
    Keys(Keys),
    /// A role, taken on with those keys.
    Role {
        /// The keys to take it on with.
        keys: Keys,
        /// The role.
        role: String,
        /// What the role's trust asks for.
        external_id: Option<SecretString>,
    },
    /// A role, taken on with an identity provider's token.
    WebIdentity {
        /// The role.
        role: String,
        /// What the session is called.
        session: String,
        /// The token.
        token: WebToken,
    },
    /// From AWS' own chain: profiles, single sign-on, containers, instances.
    #[cfg(feature = "ambient")]
    Chain(Box<House>),
}

/// An identity provider's token.
#[derive(Clone)]
pub(crate) enum WebToken {
    /// As given.
    Value(SecretString),
    /// In a file that the machine keeps fresh; ambient connections alone name one.
    File(String),
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keys(_) => "Keys",
            Self::Role { .. } => "Role",
            Self::WebIdentity { .. } => "WebIdentity",
            #[cfg(feature = "ambient")]
            Self::Chain(_) => "Chain",
        })
    }
}

impl Origin {
    /// The origin of a connection's keys.
    ///
    /// # Errors
    /// `InvalidRequest` where an ambient connection finds no keys.
    pub(crate) fn of(credential: &Credential, house: &House) -> Result<Self> {
        let Credential::Values(_) = credential else { return Self::ambient(house) };
        let value = |field: &str| credential.get(field).map(str::to_owned);
        let role = value("roleArn");
        if let (Some(role), Some(token)) = (&role, value("webIdentityToken")) {
            let token = WebToken::Value(SecretString::from(token));
            return Ok(Self::WebIdentity { role: role.clone(), session: SESSION.to_owned(), token });
        }
        let keys = Keys::new(
            value("accessKeyId").unwrap_or_default(),
            value("secretAccessKey").unwrap_or_default(),
            value("sessionToken"),
            None,
            "connection",
        );
        Ok(match role {
            None => Self::Keys(keys),
            Some(role) => Self::Role { keys, role, external_id: value("externalId").map(SecretString::from) },
        })
    }

    /// What the environment holds: keys, then a web identity, else what AWS' own chain finds when keys are needed.
    ///
    /// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>
    fn ambient(house: &House) -> Result<Self> {
        let value = |name: &str| house.environment.get(name).map(str::to_owned);
        if let (Some(id), Some(secret)) = (value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY")) {
            return Ok(Self::Keys(Keys::new(id, secret, value("AWS_SESSION_TOKEN"), None, "environment")));
        }
        if let (Some(role), Some(file)) = (value("AWS_ROLE_ARN"), value("AWS_WEB_IDENTITY_TOKEN_FILE")) {
            let session = value("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| SESSION.to_owned());
            return Ok(Self::WebIdentity { role, session, token: WebToken::File(file) });
        }
        Self::beyond_the_environment(house)
    }

    #[cfg(feature = "ambient")]
    #[expect(clippy::unnecessary_wraps, reason = "without the chain there is nothing beyond the environment")]
    fn beyond_the_environment(house: &House) -> Result<Self> {
        Ok(Self::Chain(Box::new(house.clone())))
    }

    #[cfg(not(feature = "ambient"))]
    fn beyond_the_environment(_: &House) -> Result<Self> {
        let mut findings = pmks_model::Findings::default();
        findings.add(
            "credential.ambient",
            "the environment holds neither AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY nor AWS_ROLE_ARN with \
             AWS_WEB_IDENTITY_TOKEN_FILE, and this program was built without AWS' chain of profiles, single sign-on \
             and instances",
        );
        Err(DriverError::invalid(crate::PROVIDER, findings))
    }

    /// The keys that calls of STS are signed with; `None`: those calls are not signed.
    pub(crate) fn base(&self) -> Option<&Keys> {
        match self {
            Self::Keys(keys) | Self::Role { keys, .. } => Some(keys),
            Self::WebIdentity { .. } => None,
            #[cfg(feature = "ambient")]
            Self::Chain(_) => None,
        }
    }

    /// The source of keys; `sts` signs with [`Self::base`].
    pub(crate) fn source(self, sts: Api) -> Arc<dyn KeySource> {
        match self {
            Self::Keys(keys) => Arc::new(StaticKeys(keys)),
            #[cfg(feature = "ambient")]
            Self::Chain(house) => Arc::new(crate::ambient::Chain::new(crate::ambient::Setting {
                environment: house.environment,
                region: sts.endpoints().region().to_owned(),
                transport: house.transport,
                hosts: sts.endpoints().hosts(),
            })),
            origin => Arc::new(RoleSource { origin, sts, kept: Renewable::new(RENEWED_BEFORE) }),
        }
    }
}

/// Keys of a role, kept until shortly before their end.
#[derive(Debug)]
struct RoleSource {
    origin: Origin,
    sts: Api,
    kept: Renewable<Keys>,
}

#[async_trait]
impl KeySource for RoleSource {
    async fn keys(&self, now: Timestamp) -> std::result::Result<Keys, SignError> {
        self.kept.at(now, |error: &SignError| error.temporary, self.renewed()).await
    }

    async fn refused(&self, access_key_id: &str, now: Timestamp) -> Renewal {
        self.kept.refused(now, |keys| keys.access_key_id() == access_key_id).await
    }

    async fn accepted(&self, access_key_id: &str) {
        self.kept.accepted(|keys| keys.access_key_id() == access_key_id).await;
    }
}

impl RoleSource {
    async fn renewed(&self) -> std::result::Result<(Keys, Timestamp), SignError> {
        let assumed = match &self.origin {
            Origin::Keys(_) => return Err(SignError::credential("keys of their own are not renewed")),
            #[cfg(feature = "ambient")]
            Origin::Chain(_) => return Err(SignError::credential("the chain renews its keys itself")),
            Origin::Role { role, external_id, .. } => {
                let external_id = external_id.as_ref().map(ExposeSecret::expose_secret);
                self.sts.assume_role(role, SESSION, external_id).await
            }
            Origin::WebIdentity { role, session, token } => {
                let token = read(token).await?;
                self.sts.assume_role_with_web_identity(role, session, token.expose_secret()).await
            }
        };
        keys_of(assumed.map_err(refused)?.credentials)
    }
}

async fn read(token: &WebToken) -> std::result::Result<SecretString, SignError> {
    match token {
        WebToken::Value(token) => Ok(token.clone()),
        WebToken::File(path) => {
            let unread = |error| SignError::unavailable(format!("{path} cannot be read")).caused_by(error);
            let text = tokio::fs::read_to_string(path).await.map_err(unread)?;
            Ok(SecretString::from(text.trim().to_owned()))
        }
    }
}

fn keys_of(role: RoleKeys) -> std::result::Result<(Keys, Timestamp), SignError> {
    let unread = |error| SignError::unavailable("STS says no readable end of a role's keys").caused_by(error);
    let end: Timestamp = role.expiration.parse().map_err(|error: jiff::Error| unread(error))?;
    let until = SystemTime::UNIX_EPOCH
        .checked_add(std::time::Duration::from_secs(u64::try_from(end.as_second()).unwrap_or_default()));
    let keys = Keys::new(role.access_key_id, role.secret_access_key, Some(role.session_token), until, "role");
    Ok((keys, end))
}

/// An answer without the words of STS, as a proxy's page is, says nothing of the credential.
fn refused(error: DriverError) -> SignError {
    let temporary = matches!(
        error.kind(),
        ErrorKind::Unavailable
            | ErrorKind::Throttled { .. }
            | ErrorKind::Ambiguous
            | ErrorKind::Unexpected
            | ErrorKind::Unsupported { .. }
    );
    let says = format!("the role cannot be taken on: {error}");
    if temporary {
        SignError::unavailable(says).caused_by(error)
    } else {
        SignError::credential(says).caused_by(error)
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::Environment;
    use pmks_transport::{SystemClock, Transport};

    use super::*;

    fn house(pairs: &[(&str, &str)]) -> House {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        House {
            transport: Transport::builder(Arc::new(SystemClock)).build(),
            environment: Environment::new(variables),
            installation: "i".to_owned(),
        }
    }

    fn values(pairs: &[(&str, &str)]) -> Credential {
        Credential::from_values(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn word(origin: Result<Origin>) -> String {
        origin.map_or_else(|error| error.to_string(), |origin| format!("{origin:?}"))
    }

    #[test]
    fn every_form_has_its_origin() {
        let none = house(&[]);
        let key = ("accessKeyId", "AKIA");
        let secret = ("secretAccessKey", "hunter2");
        let role = ("roleArn", "arn:aws:iam::1:role/r");
        for (credential, expected) in [
            (values(&[key, secret]), "Keys"),
            (values(&[key, secret, role]), "Role"),
            (values(&[role, ("webIdentityToken", "hunter2")]), "WebIdentity"),
        ] {
            assert_eq!(word(Origin::of(&credential, &none)), expected);
        }
    }

    #[test]
    fn an_ambient_connection_takes_what_the_environment_holds() {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
        let web = [("AWS_ROLE_ARN", "arn"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token")];
        let of = |pairs: &[(&str, &str)]| word(Origin::of(&Credential::Ambient, &house(pairs)));
        assert_eq!(of(&keys), "Keys");
        assert_eq!(of(&web), "WebIdentity");
        assert_eq!(of(&[keys[0], keys[1], web[0], web[1]]), "Keys");
        let beyond = of(&[keys[0]]);
        let expected = if cfg!(feature = "ambient") { "Chain" } else { "credential.ambient" };
        assert!(beyond.contains(expected), "{beyond}");
    }

    #[test]
    fn what_a_role_is_given_is_read_with_its_end() {
        let role = |expiration: &str| RoleKeys {
            access_key_id: "ASIA".into(),
            secret_access_key: "s".into(),
            session_token: "t".into(),
            expiration: expiration.into(),
        };
        let (keys, end) = keys_of(role("2026-11-23T11:00:00Z")).unwrap();
        assert_eq!((keys.access_key_id(), end.to_string().as_str()), ("ASIA", "2026-11-23T11:00:00Z"));
        assert!(keys.expiry().is_some());
        assert!(keys_of(role("soon")).is_err_and(|error| error.temporary));
    }
}
