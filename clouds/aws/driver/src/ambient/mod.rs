//! AWS' own chain of credentials, by AWS' own crate: profiles with all that they may name (roles, single sign-on,
//! processes), containers, instances. Its HTTP is ours, its dates are the house's clock.
//!
//! Where the crate lets us say where to look, it looks where the handed-over environment says. The address of a
//! container's credentials, single sign-on's cache and processes it finds by the process' own environment, which is
//! the same in `pmks`; a link that the handed-over environment does not have is not asked at all.
//!
//! Sources: <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>,
//! <https://docs.rs/aws-config>

mod http;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_async::time::TimeSource;
use aws_types::region::Region;
use jiff::{SignedDuration, Timestamp};
use pmks_driver::{DriverError, Environment, Result};
use pmks_transport::{AllowedHost, Clock, Renewable, Renewal, SignError, Transport};
use tokio::sync::Mutex;

use crate::credential::KeySource;
use crate::key_source::RENEWED_BEFORE;

/// How long keys without an end are kept: profiles change.
const KEPT: SignedDuration = SignedDuration::from_mins(15);
/// How often an instance's metadata service is asked: where there is none, nobody waits long for it.
const METADATA_TRIES: u32 = 2;

/// What the chain is made from.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// What the house handed over.
    pub(crate) environment: Environment,
    /// The connection's region.
    pub(crate) region: String,
    /// The way out, and the clock.
    pub(crate) transport: Transport,
    /// The connection's own hosts.
    pub(crate) hosts: Vec<AllowedHost>,
}

/// Keys of the first link that has some, kept until shortly before their end.
#[derive(Debug)]
pub(crate) struct Chain {
    setting: Setting,
    /// Made at the first question: files are looked for then, and links keep what they learn.
    links: Mutex<Option<Arc<Links>>>,
    kept: Renewable<Keys>,
}

/// The links in their order, and why others are none.
#[derive(Debug, Default)]
struct Links {
    links: Vec<(String, Box<dyn ProvideCredentials>)>,
    absent: Vec<String>,
}

impl Chain {
    /// Sends nothing and reads no file yet.
    pub(crate) fn new(setting: Setting) -> Self {
        Self { setting, links: Mutex::default(), kept: Renewable::new(RENEWED_BEFORE) }
    }
}

#[async_trait]
impl KeySource for Chain {
    async fn keys(&self, now: Timestamp) -> std::result::Result<Keys, SignError> {
        let renew = async {
            let keys = self.links().await?.ask().await?;
            let end = end_of(&keys, now);
            Ok((keys, end))
        };
        self.kept.at(now, |error: &SignError| error.temporary, renew).await
    }

    async fn refused(&self, access_key_id: &str, now: Timestamp) -> Renewal {
        self.kept.refused(now, |keys| keys.access_key_id() == access_key_id).await
    }

    async fn accepted(&self, access_key_id: &str) {
        self.kept.accepted(|keys| keys.access_key_id() == access_key_id).await;
    }
}

impl Chain {
    async fn links(&self) -> std::result::Result<Arc<Links>, SignError> {
        let mut links = self.links.lock().await;
        if let Some(links) = &*links {
            return Ok(Arc::clone(links));
        }
        let found = Arc::new(Links::of(&self.setting).await.map_err(unusable)?);
        Ok(Arc::clone(links.insert(found)))
    }
}

fn unusable(error: DriverError) -> SignError {
    SignError::credential(format!("the ambient credentials cannot be looked for: {error}")).caused_by(error)
}

/// When keys are asked for again at the latest.
fn end_of(keys: &Keys, now: Timestamp) -> Timestamp {
    let end = keys.expiry().and_then(|end| Timestamp::try_from(end).ok());
    end.unwrap_or_else(|| now.saturating_add(KEPT + RENEWED_BEFORE).unwrap_or(now))
}

impl Links {
    /// Those that the environment has.
    async fn of(setting: &Setting) -> Result<Self> {
        let environment = &setting.environment;
        let config = ProviderConfig::without_region()
            .with_region(Some(Region::new(setting.region.clone())))
            .with_time_source(HouseTime(Arc::clone(setting.transport.clock())))
            .with_http_client(http::House::new(setting)?);
        let mut found = Self::default();
        found.add_profile(environment, &config).await;
        let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
        if container.iter().any(|name| environment.get(name).is_some()) {
            found.add("container", EcsCredentialsProvider::builder().configure(&config).build());
        } else {
            found.absent.push(format!("container ({} are not set)", container.join(" and ")));
        }
        found.add_instance(environment, &config);
        Ok(found)
    }

    fn add(&mut self, name: impl Into<String>, link: impl ProvideCredentials + 'static) {
        self.links.push((name.into(), Box::new(link)));
    }

    async fn add_profile(&mut self, environment: &Environment, config: &ProviderConfig) {
        let name = environment.get("AWS_PROFILE").unwrap_or("default");
        let mut builder = EnvConfigFiles::builder();
        let mut wanted = Vec::new();
        let mut any = false;
        for (kind, variable, usual) in [
            (EnvConfigFileKind::Config, "AWS_CONFIG_FILE", ".aws/config"),
            (EnvConfigFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
        ] {
            let Some(path) = path_of(environment, variable, usual) else { continue };
            // The crate takes a file that was named and is not there for an error.
            if tokio::fs::try_exists(&path).await.unwrap_or(false) {
                any = true;
                builder = builder.with_file(kind, &path);
            }
            wanted.push(path.display().to_string());
        }
        if !any {
            let places = if wanted.is_empty() { "HOME is not set".to_owned() } else { wanted.join(", ") };
            self.absent.push(format!("profile {name:?} (no file: {places})"));
            return;
        }
        let provider = ProfileFileCredentialsProvider::builder();
        let provider = provider.configure(config).profile_files(builder.build()).profile_name(name).build();
        self.add(format!("profile {name:?} of {}", wanted.join(", ")), provider);
    }

    fn add_instance(&mut self, environment: &Environment, config: &ProviderConfig) {
        if environment.get("AWS_EC2_METADATA_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true"))
        {
            self.absent.push("instance metadata (AWS_EC2_METADATA_DISABLED is true)".to_owned());
            return;
        }
        let client = imds::Client::builder().configure(config).max_attempts(METADATA_TRIES);
        let client = match environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
            None => Ok(client),
            Some(endpoint) => client.endpoint(endpoint),
        };
        let Ok(client) = client else {
            self.absent
                .push("instance metadata (AWS_EC2_METADATA_SERVICE_ENDPOINT is no address)".to_owned());
            return;
        };
        let link = imds::credentials::ImdsCredentialsProvider::builder()
            .configure(config)
            .imds_client(client.build())
            .build();
        self.add("instance metadata", link);
    }

    /// Keys of the first link that has some. A link that has none is passed over; one that fails ends it, for what
    /// comes after it would act for somebody else. So does a profile that somebody named.
    async fn ask(&self) -> std::result::Result<Keys, SignError> {
        let mut tried = Vec::new();
        for (name, link) in &self.links {
            match link.provide_credentials().await {
                Ok(keys) => return Ok(keys),
                Err(error) => {
                    let says = innermost(&error);
                    if !is_passed_over(&error, &says) {
                        return Err(failed(name, &says, error));
                    }
                    tried.push(format!("{name} ({says})"));
                }
            }
        }
        tried.extend(self.absent.iter().cloned());
        let says = format!(
            "no credential was found. Tried: the environment (neither AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY nor \
             AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE); {}",
            tried.join("; ")
        );
        Err(SignError::credential(says))
    }
}

/// Whether a link just has nothing. The crate says the same of a profile that is named and is not there; only where
/// nobody named one, and so `default` is missing, is that nothing.
fn is_passed_over(error: &CredentialsError, says: &str) -> bool {
    let missing = says.contains("was not defined") && !says.contains("`default` was not defined");
    matches!(error, CredentialsError::CredentialsNotLoaded(_)) && !missing
}

fn failed(link: &str, says: &str, error: CredentialsError) -> SignError {
    let says = format!("{link} gives no credential: {says}");
    // The crate does not tell a refusal from a service that does not answer.
    match error {
        CredentialsError::InvalidConfiguration(_) | CredentialsError::CredentialsNotLoaded(_) => {
            SignError::credential(says).caused_by(error)
        }
        _ => SignError::unavailable(says).caused_by(error),
    }
}

/// What the last of a chain of errors says: the others only repeat that there was one.
fn innermost(error: &CredentialsError) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    // A process ends what it says with a line break.
    last.to_string().trim().to_owned()
}

fn path_of(environment: &Environment, variable: &str, usual: &str) -> Option<PathBuf> {
    let named = environment.get(variable).map(PathBuf::from);
    let home = || environment.get("HOME").or_else(|| environment.get("USERPROFILE"));
    named.or_else(|| Some(PathBuf::from(home()?).join(usual)))
}

/// The house's clock, as the crate reads it.
#[derive(Debug)]
struct HouseTime(Arc<dyn Clock>);

impl TimeSource for HouseTime {
    fn now(&self) -> SystemTime {
        let now = self.0.wall();
        let since = Duration::from_millis(u64::try_from(now.as_millisecond()).unwrap_or_default());
        SystemTime::UNIX_EPOCH + since
    }
}

#[cfg(test)]
mod tests;
