//! The connection that the suite works at, and the rigs on it: each with a transport of its own, so that a case's
//! faults, calls and records are its own.

use std::sync::Arc;

use pmks_conformance::{CallLog, INSTALLATION, Journal, Lists, Rig};
use pmks_core::{Caller, Pmks};
use pmks_driver::{
    AccountIdentity, ConnectionSpecification, Credential, Driver, Environment, House, Prerequisite, Provider,
    chain,
};
use pmks_model::FailureKind;
use pmks_transport::{CallObserver, Clock, Faults, MemoryRecorder, Recorder, Transport};
use secrecy::{ExposeSecret, SecretString};

use super::of_cloud;
use crate::app::App;
use crate::data_directory::{Holder, Wanted};
use crate::error::{Error, Result};
use crate::{house, registry};

/// Shorter texts are no secrets that could be told from other text.
const SHORTEST_SECRET: usize = 8;

/// Where the suite works.
pub(crate) struct Place {
    /// The provider's name.
    pub(crate) provider: String,
    /// What drivers are made from.
    pub(crate) specification: ConnectionSpecification,
    driver_of: Arc<dyn Provider>,
    environment: Environment,
}

/// What a rig lives by.
pub(crate) struct Surroundings {
    /// The clock of the transport and of the cases.
    pub(crate) clock: Arc<dyn Clock>,
    /// What is told of every call, beside the logs.
    pub(crate) observers: Vec<Arc<dyn CallObserver>>,
    /// What keeps every exchange, beside the rig's own recorder.
    pub(crate) recorders: Vec<Arc<dyn Recorder>>,
}

/// A rig, with everything that was sent through it.
pub(crate) struct Rigged {
    /// The rig.
    pub(crate) rig: Rig,
    /// The witness' own calls, which no case counts.
    witness_calls: CallLog,
}

impl Place {
    /// Reads a connection of the data directory with its credential, and leaves the directory to others again.
    ///
    /// # Errors
    /// `Conflict` while a server works on it, naming the server; `NotFound`.
    pub(crate) async fn open(app: &App) -> Result<Self> {
        let name = app.connection()?;
        if app.global.server.is_some() {
            return Err(Error::usage("a credential never leaves its server: --server is of no use here")
                .with_fix("run this where the data directory is, without --server"));
        }
        let lock = match app.data.hold(&*app.clock, std::time::Duration::ZERO, Wanted::Work).await? {
            Holder::Us(lock) => lock,
            Holder::Server(server) => {
                let says = format!(
                    "the server of process {} ({}) works on {}",
                    server.pid,
                    server.url,
                    app.data.path().display()
                );
                return Err(Error::new(FailureKind::Conflict, says)
                    .with_fix("end it for a moment: once the suite has begun, it may run again"));
            }
        };
        let pmks = Pmks::open(house::open(app, true, true).await?).await?;
        let user = app.environment.get("USER").unwrap_or("local");
        let (provider, specification) = pmks.connections().specification(&Caller::local(user), name).await?;
        drop((pmks, lock));
        let driver_of = Arc::clone(registry::providers(None).get(&provider)?);
        let ambient = matches!(specification.credential, Credential::Ambient);
        let environment = if ambient { app.environment.clone() } else { Environment::default() };
        Ok(Self { provider, specification, driver_of, environment })
    }

    /// A place that was found elsewhere than in the data directory.
    ///
    /// # Errors
    /// `NotFound` for a provider that is none.
    pub(crate) fn of(provider: &str, specification: ConnectionSpecification) -> Result<Self> {
        let driver_of = Arc::clone(registry::providers(None).get(provider)?);
        Ok(Self {
            provider: provider.to_owned(),
            specification,
            driver_of,
            environment: Environment::default(),
        })
    }

    /// Whom the credential acts for.
    pub(crate) async fn prove(&self, app: &App) -> Result<String> {
        Ok(self.identity(app).await?.account)
    }

    /// Whom the credential acts for, or what the cloud said instead.
    pub(crate) async fn account(&self, app: &App) -> pmks_driver::Result<String> {
        let transport = Transport::builder(Arc::clone(&app.clock)).build();
        let driver = self.connect(&self.specification, transport).await?;
        Ok(driver.account_identity().await?.account)
    }

    /// The same, with the principal.
    pub(crate) async fn identity(&self, app: &App) -> Result<AccountIdentity> {
        let driver = self.driver(app).await?;
        driver.account_identity().await.map_err(|error| of_cloud(&error))
    }

    /// What must exist in the account first.
    pub(crate) async fn prerequisites(&self, app: &App) -> Result<Vec<Prerequisite>> {
        self.driver(app).await?.prerequisites(None).await.map_err(|error| of_cloud(&error))
    }

    async fn driver(&self, app: &App) -> Result<Arc<dyn Driver>> {
        let transport = Transport::builder(Arc::clone(&app.clock)).build();
        self.connect(&self.specification, transport).await.map_err(|error| of_cloud(&error))
    }

    async fn connect(
        &self,
        specification: &ConnectionSpecification,
        transport: Transport,
    ) -> pmks_driver::Result<Arc<dyn Driver>> {
        let environment = self.environment.clone();
        let house = House { transport, environment, installation: INSTALLATION.to_owned() };
        self.driver_of.connect(specification, &house).await
    }

    /// A fresh rig whose witness is the driver's own lists.
    ///
    /// # Errors
    /// What the cloud says instead of its lists.
    pub(crate) async fn rig(&self, around: &Surroundings, journal: &Journal) -> pmks_driver::Result<Rigged> {
        let (calls, witness_calls) = (CallLog::default(), CallLog::default());
        let (faults, recorder) = (Arc::new(Faults::new()), Arc::new(MemoryRecorder::new()));
        let transport = around
            .transport(&calls)
            .faults(Arc::clone(&faults) as _)
            .recorder(Arc::clone(&recorder) as _)
            .build();
        let driver = self.connect(&self.specification, transport.clone()).await?;
        let mut secrets = secrets_of(&self.specification.credential, self.driver_of.as_ref());
        let (stranger, without_stranger) = match self.stranger(&transport, &mut secrets).await {
            Ok(stranger) => (stranger, None),
            Err(why) => (Arc::clone(&driver), Some(why)),
        };
        let own = around.transport(&witness_calls).build();
        let eyes = self.connect(&self.specification, own).await?;
        let witness = Arc::new(Lists::new(eyes, journal.clone(), without_stranger).await?);
        let rig = Rig {
            driver,
            stranger,
            witness,
            faults,
            calls,
            recorder,
            secrets,
            clock: Arc::clone(&around.clock),
            pace: self.specification.pace,
        };
        Ok(Rigged { rig, witness_calls })
    }

    /// A driver whose credential is not the right one: the provider's own wrong one, or one secret field with every
    /// letter and digit moved by one.
    async fn stranger(
        &self,
        transport: &Transport,
        secrets: &mut Vec<String>,
    ) -> std::result::Result<Arc<dyn Driver>, String> {
        let Credential::Values(values) = &self.specification.credential else {
            return Err("the machine itself has the credential: no wrong one can be made of it".to_owned());
        };
        if let Some(wrong) = self.driver_of.wrong_credential(&self.specification.credential) {
            let specification = ConnectionSpecification { credential: wrong, ..self.specification.clone() };
            let made = self.connect(&specification, transport.clone()).await;
            return made.map_err(|error| format!("the wrong credential cannot be used: {}", chain(&error)));
        }
        let mut refused = "the credential has no secret field".to_owned();
        for (field, value) in values.iter().filter(|(field, _)| is_secret(self.driver_of.as_ref(), field)) {
            let wrong: String = value.expose_secret().chars().map(moved).collect();
            let mut garbled = values.clone();
            garbled.insert(field.clone(), SecretString::from(wrong.clone()));
            let specification = ConnectionSpecification {
                credential: Credential::Values(garbled),
                ..self.specification.clone()
            };
            match self.connect(&specification, transport.clone()).await {
                Ok(driver) => {
                    secrets.push(wrong);
                    return Ok(driver);
                }
                Err(error) => {
                    refused = format!(
                        "no wrong credential can be made of the given one: {field}: {}",
                        chain(&error)
                    );
                }
            }
        }
        Err(refused)
    }

    /// Every secret of the credential.
    pub(crate) fn secrets(&self) -> Vec<String> {
        secrets_of(&self.specification.credential, self.driver_of.as_ref())
    }

    /// What the provider says that it can do.
    pub(crate) fn capabilities(&self) -> &'static pmks_driver::Capabilities {
        self.driver_of.capabilities()
    }
}

impl Surroundings {
    fn transport(&self, calls: &CallLog) -> pmks_transport::TransportBuilder {
        let mut builder = Transport::builder(Arc::clone(&self.clock)).observer(Arc::new(calls.clone()));
        for observer in &self.observers {
            builder = builder.observer(Arc::clone(observer));
        }
        for recorder in &self.recorders {
            builder = builder.recorder(Arc::clone(recorder));
        }
        builder
    }
}

impl Rigged {
    /// How many requests were sent so far.
    pub(crate) fn calls(&self) -> usize {
        self.rig.calls.mark() + self.witness_calls.mark()
    }
}

fn is_secret(provider: &dyn Provider, field: &str) -> bool {
    let mut fields = provider.capabilities().credential_forms.iter().flat_map(|form| form.fields);
    fields.any(|known| known.name == field && known.secret)
}

/// The values of secret fields; of one that is JSON also the long texts in it, such as a private key.
fn secrets_of(credential: &Credential, provider: &dyn Provider) -> Vec<String> {
    let Credential::Values(values) = credential else { return Vec::new() };
    let mut secrets = Vec::new();
    for (_, value) in values.iter().filter(|(field, _)| is_secret(provider, field)) {
        let text = value.expose_secret();
        if let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(text) {
            let texts = fields.values().filter_map(serde_json::Value::as_str).filter(|text| text.len() > 100);
            secrets.extend(texts.map(str::to_owned));
        }
        secrets.push(text.to_owned());
    }
    secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
    secrets
}

fn moved(letter: char) -> char {
    match letter {
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(u32::from(letter) + 1).unwrap_or(letter),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_secret_is_as_long_as_the_right_one_and_another() {
        let wrong: String = "wJalrXUtnFEMI/K7MDENG+Z9z=".chars().map(moved).collect();
        assert_eq!(wrong, "xKbmsYVuoGFNJ/L8NEFOH+A0a=");
    }
}
