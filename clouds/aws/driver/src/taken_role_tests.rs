//! Roles taken on through a driver, against the simulated STS: the right external id and a wrong one, an identity
//! provider's token, keys renewed before their end, and one request budget for all of an account's connections.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pmks_aws_simulator::{AwsCloud, Settings};
use pmks_driver::{ConnectionSpecification, Environment, ErrorKind, House, PrerequisiteState};
use pmks_simulation::{Cloud, ManualTime, RunningCloud, serve};
use pmks_transport::{CallFacts, CallObserver, Clock as _, Outcome, Transport, VirtualClock};
use serde_json::json;

use super::*;

const START: &str = "2026-11-23T10:00:00Z";
/// The issuer of the tokens here.
const ISSUER: &str = "https://issuer.example";
/// How much faster than the wall the simulated world's work goes: a role is known to all within seconds.
const SPEED: u32 = 60;

/// A simulated AWS and this machine's clock, both of which stand still until they are moved together.
struct World {
    cloud: Arc<AwsCloud>,
    time: Arc<ManualTime>,
    clock: VirtualClock,
    running: RunningCloud,
    calls: Arc<Seen>,
}

/// Which account's budget each call used.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<(&'static str, String)>>);

#[async_trait]
impl CallObserver for Seen {
    async fn before(&self, call: &CallFacts) {
        self.0.lock().unwrap().push((call.action, call.account.clone()));
    }

    async fn after(&self, _: &CallFacts, _: Outcome) {}
}

impl Seen {
    fn count(&self, action: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|(seen, _)| *seen == action).count()
    }

    fn last(&self) -> (&'static str, String) {
        self.0.lock().unwrap().last().unwrap().clone()
    }
}

impl World {
    async fn new() -> Self {
        let start: jiff::Timestamp = START.parse().unwrap();
        let time = Arc::new(ManualTime::new(start));
        let settings =
            Settings { speed: f64::from(SPEED), time: Arc::clone(&time) as _, ..Settings::default() };
        let cloud = Arc::new(AwsCloud::new(settings));
        let running = serve(Arc::clone(&cloud) as Arc<dyn Cloud>, 0).await.unwrap();
        Self { cloud, time, clock: VirtualClock::new(start), running, calls: Arc::default() }
    }

    fn advance(&self, by: Duration) {
        self.time.advance(by);
        self.clock.advance(by);
    }

    /// A driver with this credential; `None`: the one that the world offers.
    fn driver(&self, credential: Option<serde_json::Value>) -> AwsDriver {
        let offered = self.cloud.connection(&self.running.url());
        let credential = credential.unwrap_or_else(|| offered["credential"].clone());
        let connection = ConnectionSpecification {
            name: "c".to_owned(),
            region: offered["region"].as_str().unwrap().to_owned(),
            zone: None,
            credential: serde_json::from_value(credential).unwrap(),
            endpoints: BTreeMap::from([("all".to_owned(), self.running.url().parse().unwrap())]),
            ca_certificate: None,
            settings: BTreeMap::new(),
            pace: SPEED,
        };
        let transport =
            Transport::builder(Arc::new(self.clock.clone())).observer(Arc::clone(&self.calls) as _).build();
        let house = House { transport, environment: Environment::default(), installation: "i".to_owned() };
        driver(&connection, &house).unwrap()
    }

    /// The world's own keys, with these fields beside them.
    fn keys_and(&self, more: &serde_json::Value) -> serde_json::Value {
        let mut credential = self.cloud.connection(&self.running.url())["credential"].clone();
        credential.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        credential
    }

    /// Makes a role with this trust, and waits until all services know it. Answers its ARN.
    async fn role(&self, name: &str, statement: &serde_json::Value) -> String {
        let trust = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let made = self.driver(None).api.create_role(name, &trust, "", &BTreeMap::new()).await.unwrap();
        self.advance(Duration::from_secs(30));
        made.arn
    }

    async fn account(&self) -> String {
        let caller = self.driver(None).api.get_caller_identity().await.unwrap();
        caller.account
    }
}

/// The role of a caller, or why there is none.
async fn acts_as(driver: &AwsDriver) -> std::result::Result<String, pmks_driver::DriverError> {
    crate::access::account_identity(driver).await.map(|identity| identity.principal)
}

/// Who may take on a role by its own keys.
fn trusting(account: &str, external_id: &str) -> serde_json::Value {
    json!({
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{account}:root")}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    })
}

#[tokio::test]
async fn a_role_is_taken_on_with_the_right_external_id_alone() {
    let world = World::new().await;
    let account = world.account().await;
    let role = world.role("ops", &trusting(&account, "hunter2")).await;
    let with = |external: &str| world.keys_and(&json!({"roleArn": role, "externalId": external}));
    assert_eq!(acts_as(&world.driver(Some(with("hunter2")))).await.unwrap(), role);
    for credential in [with("guess"), world.keys_and(&json!({"roleArn": role}))] {
        let error = acts_as(&world.driver(Some(credential))).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Unauthenticated, "{error}");
        assert!(error.message().contains("the role cannot be taken on"), "{error}");
        assert!(error.message().contains("not authorized to perform: sts:AssumeRole"), "{error}");
        assert!(!format!("{error:?}").contains("guess"), "{error:?}");
        // What AWS answered to the call that was refused, not to the one that was never sent.
        let failure = error.to_failure();
        assert_eq!(failure.action.as_deref(), Some("sts.AssumeRole"), "{failure:?}");
        assert_eq!(
            (failure.provider_status, failure.provider_code.as_deref()),
            (Some(403), Some("AccessDenied"))
        );
        assert!(failure.provider_request_id.is_some_and(|id| !id.is_empty()));
        assert!(failure.provider_message.is_some_and(|says| says.starts_with("User: ")));
    }
}

/// A token of the identity provider that ends at `end`. The simulated STS reads all of it but the signature.
fn token(subject: &str, end: jiff::Timestamp) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"iss": ISSUER, "sub": subject, "aud": "sts.amazonaws.com", "exp": end.as_second()});
    format!("{}.{}.{}", part(json!({"alg": "RS256"})), part(claims), URL_SAFE_NO_PAD.encode("signature"))
}

#[tokio::test]
async fn a_role_is_taken_on_with_an_identity_providers_token() {
    let world = World::new().await;
    let event =
        json!({"type": "registerWebIdentityProvider", "issuer": ISSUER, "audiences": ["sts.amazonaws.com"]});
    let provider = world.cloud.event(&event).unwrap()["arn"].clone();
    let trust = json!({
        "Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"issuer.example:sub": "system:serviceaccount:a:b"}},
    });
    let role = world.role("irsa", &trust).await;
    let with = |token: String| Some(json!({"roleArn": role, "webIdentityToken": token}));
    let tomorrow = world.clock.wall().checked_add(jiff::SignedDuration::from_hours(24)).unwrap();
    let mine = token("system:serviceaccount:a:b", tomorrow);
    assert_eq!(acts_as(&world.driver(with(mine.clone()))).await.unwrap(), role);
    for (token, says) in [
        (token("system:serviceaccount:a:other", tomorrow), "AssumeRoleWithWebIdentity"),
        (token("system:serviceaccount:a:b", START.parse().unwrap()), "expired"),
        ("nonsense".to_owned(), "not a valid JWT"),
    ] {
        let error = acts_as(&world.driver(with(token.clone()))).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Unauthenticated, "{error}");
        assert!(error.message().contains(says), "{error}");
        assert!(!format!("{error:?}").contains(&token), "{error:?}");
    }
}

#[tokio::test]
async fn a_roles_keys_are_kept_and_renewed_before_their_end() {
    let world = World::new().await;
    let account = world.account().await;
    let role = world.role("ops", &trusting(&account, "x")).await;
    let driver = world.driver(Some(world.keys_and(&json!({"roleArn": role, "externalId": "x"}))));
    let key = async || driver.here.keys.keys(world.clock.wall()).await.unwrap().access_key_id().to_owned();
    let first = key().await;
    world.advance(Duration::from_mins(54));
    assert_eq!(acts_as(&driver).await.unwrap(), role);
    assert_eq!((key().await, world.calls.count("sts.AssumeRole")), (first.clone(), 1));
    // Six minutes later they hold no more than the five that a call may take.
    world.advance(Duration::from_mins(2));
    assert_eq!(acts_as(&driver).await.unwrap(), role);
    let second = key().await;
    assert_ne!(second, first);
    assert_eq!(world.calls.count("sts.AssumeRole"), 2);
    // Long after their end, too.
    world.advance(Duration::from_hours(9));
    assert_eq!(acts_as(&driver).await.unwrap(), role);
    assert_ne!(key().await, second);
}

/// A session may be ended before its time, as by a policy that denies all that was given out until now.
#[tokio::test]
async fn keys_that_aws_refuses_are_replaced_once() {
    let world = World::new().await;
    let account = world.account().await;
    let role = world.role("ops", &trusting(&account, "x")).await;
    let driver = world.driver(Some(world.keys_and(&json!({"roleArn": role, "externalId": "x"}))));
    assert_eq!(acts_as(&driver).await.unwrap(), role);
    world.cloud.event(&json!({"type": "tokensExpire"})).unwrap();
    let all = tokio::join!(acts_as(&driver), acts_as(&driver), driver.api.describe_vpcs(&[]), async {
        driver.api.list_clusters(None).await
    });
    assert_eq!((all.0.unwrap(), all.1.unwrap()), (role.clone(), role.clone()));
    assert!(all.2.is_ok() && all.3.is_ok(), "EC2 and EKS say it in words of their own");
    assert_eq!(world.calls.count("sts.AssumeRole"), 2, "one for all of them");
    // Those that came in their place are refused as well: nothing is doubled, and they were good until now, so that a
    // while is waited for.
    world.cloud.event(&json!({"type": "tokensExpire"})).unwrap();
    for _ in 0..3 {
        let error = acts_as(&driver).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.retry_after().is_some_and(|wait| wait <= Duration::from_secs(30)), "{error}");
    }
    assert_eq!(world.calls.count("sts.AssumeRole"), 2);
    world.advance(Duration::from_secs(30));
    assert_eq!(acts_as(&driver).await.unwrap(), role);
    assert_eq!(world.calls.count("sts.AssumeRole"), 3);
    // The next ones are refused as soon: now it is the credential's own fault.
    world.cloud.event(&json!({"type": "tokensExpire"})).unwrap();
    let error = acts_as(&driver).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Unauthenticated, "{error}");
    let all = crate::prerequisites::of_account(&driver).await.unwrap();
    let states: Vec<_> = all.into_iter().map(|one| one.state).collect();
    assert!(matches!(states[0], PrerequisiteState::Missing { .. }), "{states:?}");
    assert!(states[1..].iter().all(|state| matches!(state, PrerequisiteState::Unknown { .. })), "{states:?}");
}

#[tokio::test]
async fn connections_of_one_account_share_its_budget() {
    let world = World::new().await;
    let account = world.account().await;
    let role = world.role("ops", &trusting(&account, "x")).await;
    let by_role = world.driver(Some(world.keys_and(&json!({"roleArn": role, "externalId": "x"}))));
    let by_key = world.driver(None);
    let shared = format!("{account}/{}", by_key.region());
    crate::networks::list(&by_key).await.unwrap();
    assert_ne!(world.calls.last().1, shared, "nobody knows the key's account yet");
    // A copy that was made before learns it as well.
    let lane =
        AwsDriver { api: by_key.api.on_lane(pmks_transport::Lane::Look), here: Arc::clone(&by_key.here) };
    acts_as(&by_key).await.unwrap();
    for driver in [&by_key, &lane, &by_role] {
        crate::networks::list(driver).await.unwrap();
        assert_eq!(world.calls.last().1, shared);
    }
}
