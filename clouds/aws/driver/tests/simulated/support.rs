//! A driver at a simulated AWS in this process, and a hand that carries plans out, one stage at a time.
//! It decides nothing that the engine would not: look, ask if absent, look again.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use pmks_aws::Aws;
use pmks_aws_simulator::{AwsCloud, Settings};
use pmks_driver::{
    Change, ConnectionSpecification, Driver, DriverError, Effect, Environment, Found, FoundState, House,
    Look, Marks, Outputs, Provider, Reaction, Result, StageContext, StageSpecification, reaction,
};
use pmks_simulation::{Cloud, RunningCloud, serve};
use pmks_transport::{Clock, SystemClock, Transport};
use serde_json::Value;

/// How much faster than the real AWS the world works.
const SPEED: u32 = 3000;
/// The most steps of one stage: more would be a loop.
const MOST_STEPS: u32 = 400;

/// A simulated AWS with a driver.
pub(crate) struct World {
    pub(crate) cloud: Arc<AwsCloud>,
    pub(crate) driver: Arc<dyn Driver>,
    _running: RunningCloud,
}

/// A fresh one, its connection with these settings.
pub(crate) async fn world(settings: &[(&str, &str)]) -> World {
    world_through(Transport::builder(Arc::new(SystemClock)).build(), settings).await
}

/// The same, its calls going through this transport.
pub(crate) async fn world_through(transport: Transport, settings: &[(&str, &str)]) -> World {
    let cloud = Arc::new(AwsCloud::new(Settings { speed: f64::from(SPEED), ..Settings::default() }));
    let running = serve(Arc::clone(&cloud) as Arc<dyn Cloud>, 0).await.unwrap();
    let offered = cloud.connection(&running.url());
    let text = |key: &str| offered[key].as_str().unwrap_or_default().to_owned();
    let connection = ConnectionSpecification {
        name: "test".to_owned(),
        region: text("region"),
        zone: Some(text("zone")).filter(|zone| !zone.is_empty()),
        credential: serde_json::from_value(offered["credential"].clone()).unwrap(),
        endpoints: BTreeMap::from([("all".to_owned(), running.url().parse().unwrap())]),
        ca_certificate: None,
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect(),
        pace: SPEED,
    };
    let house = House { transport, environment: Environment::default(), installation: "ours".to_owned() };
    let driver = Aws.connect(&connection, &house).await.unwrap();
    World { cloud, driver, _running: running }
}

impl World {
    /// Changes what otherwise somebody else changes at AWS.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Value)) {
        let mut world = self.cloud.snapshot().unwrap();
        change(&mut world["world"]);
        self.cloud.restore(world).unwrap();
    }

    /// What exists of these kinds, by kind and name.
    pub(crate) fn count(&self, kinds: &[&str]) -> usize {
        self.cloud.resources().iter().filter(|found| kinds.contains(&found.kind.as_str())).count()
    }
}

/// What EC2 holds of this kind, as the world keeps it.
pub(crate) fn kept<'a>(snapshot: &'a mut Value, kind: &str) -> &'a mut serde_json::Map<String, Value> {
    fn find<'a>(value: &'a mut Value, kind: &str) -> Option<&'a mut Value> {
        let members = value.as_object_mut()?;
        if members.get("vpcs").and_then(Value::as_object).is_some_and(|vpcs| !vpcs.is_empty()) {
            return members.get_mut(kind);
        }
        members.values_mut().find_map(|member| find(member, kind))
    }
    find(snapshot, kind).and_then(Value::as_object_mut).expect("EC2 holds networks")
}

/// Marks of an operation of ours.
pub(crate) fn marks(uid: &str) -> Marks {
    Marks { installation: "ours".to_owned(), operation: format!("operation-{uid}"), uid: uid.to_owned() }
}

/// Prepares and carries out; answers the identifiers of what was made, by name.
pub(crate) async fn carry_out(driver: &dyn Driver, change: &Change) -> Result<BTreeMap<String, String>> {
    let prepared = driver.prepare(change).await?;
    let (mut ids, mut outputs) = (BTreeMap::new(), Outputs::default());
    for stage in &prepared.plan.stages {
        let stored = serde_json::from_value(serde_json::to_value(stage).unwrap()).unwrap();
        let (id, left) = finish(driver, &stored, &outputs).await?;
        outputs.insert(&stage.name, left);
        if let Some(subject) = &stage.subject {
            ids.insert(subject.name.clone(), id.unwrap_or_default());
        }
    }
    Ok(ids)
}

/// The same for the same stage of the same operation, and no other.
fn token_of(stage: &StageSpecification) -> String {
    let mut hasher = DefaultHasher::new();
    (&stage.name, stage.parameters.to_string()).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

async fn finish(
    driver: &dyn Driver,
    stage: &StageSpecification,
    outputs: &Outputs,
) -> Result<(Option<String>, Value)> {
    let calls = driver.stage(stage)?;
    let started_at = SystemClock.wall();
    let mut context = StageContext {
        outputs: outputs.clone(),
        token: token_of(stage),
        baseline: None,
        system_id: None,
        incarnation: None,
        started_at,
        now: started_at,
        pace: SPEED,
    };
    let again = |error: DriverError, effect: Effect| match reaction(error.kind(), effect) {
        Reaction::Fail => Err(error),
        _ => Ok(()),
    };
    for _ in 0..MOST_STEPS {
        context.now = SystemClock.wall();
        match calls.look(&context).await {
            Ok(Look::Present(Found { system_id, state, .. })) => {
                if !system_id.is_empty() {
                    context.system_id = Some(system_id);
                }
                match state {
                    FoundState::Ready(outputs) => return Ok((context.system_id, outputs)),
                    FoundState::Failed(error) => return Err(error),
                    FoundState::Pending { .. } => {}
                }
            }
            Ok(Look::Absent) => match calls.ask(&context).await {
                Ok(asked) => {
                    context.system_id = asked.system_id.or(context.system_id);
                    if let Some(outputs) = asked.done {
                        return Ok((context.system_id, outputs));
                    }
                }
                Err(error) => again(error, stage.effect)?,
            },
            Ok(Look::Unsure(_)) => {}
            Ok(Look::Several(ids)) => panic!("{}: several could be meant: {ids:?}", stage.name),
            Err(error) => again(error, Effect::Read)?,
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("stage {:?} never comes to an end", stage.name);
}
