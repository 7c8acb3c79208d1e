//! A connection's client: sends calls, and repeats what is safe to repeat. Decides nothing about what an answer means.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use http::Method;
use tracing::Instrument;

use crate::attempt::{self, Answered, Attempt};
use crate::budget::Gate;
use crate::pool::Wanted;
use crate::shared_reads::{Age, First, Joined, Question, Wish};
use crate::{
    AllowedHost, Buckets, Call, ClientCertificate, Effect, Error, ErrorKind, Limits, Redaction, Renewal,
    Response, Signer, Transport, Verdict, classify_by_status, hosts, response, telemetry,
};

/// What a client is made from.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The provider's name, for spans, metrics and records.
    pub provider: &'static str,
    /// Whose budget the calls use: all clients of one provider with the same text share it. Best the account's
    /// identity and location; may be set later by [`Client::with_account`].
    pub account: String,
    /// The region that signatures name, where they do.
    pub region: Option<String>,
    /// Signs each try.
    pub signer: Arc<dyn Signer>,
    /// Limits of each call, before `pace`.
    pub limits: Limits,
    /// How often each action may be called.
    pub buckets: Buckets,
    /// An authority to trust beside the machine's, as PEM.
    pub ca_certificate: Option<String>,
    /// What proves the caller to hosts that ask for a certificate. Such a client shares its connections with nobody.
    pub client_certificate: Option<ClientCertificate>,
    /// How much faster than the real cloud the other side is: divides the total limit, down to one second, and
    /// multiplies what the buckets regain. 1 for a real cloud.
    pub pace: u32,
    /// Where calls may go. Nothing is allowed by default.
    pub allowed_hosts: Vec<AllowedHost>,
    /// How the cloud says that it is busy.
    pub classify: fn(&Response) -> Verdict,
    /// What is removed from records.
    pub redaction: Redaction,
}

impl ClientOptions {
    /// The defaults: no account, no region, no allowed host, default limits and buckets, pace 1, verdicts by status.
    pub fn new(provider: &'static str, signer: Arc<dyn Signer>) -> Self {
        Self {
            provider,
            account: String::new(),
            region: None,
            signer,
            limits: Limits::default(),
            buckets: Buckets::default(),
            ca_certificate: None,
            client_certificate: None,
            pace: 1,
            allowed_hosts: Vec::new(),
            classify: classify_by_status,
            redaction: Redaction::default(),
        }
    }
}

/// Sends the calls of one connection. Clones share counts, budget and connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) transport: Transport,
    pub(crate) options: Arc<ClientOptions>,
    limits: Limits,
    limits_of_reads: Limits,
    pub(crate) wanted: Wanted,
    account: Arc<str>,
    counts: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

/// How often a call is tried at most.
const TRIES: u32 = 4;
/// What stands for the service in the readings of what is counted for all services together.
const ALL_SERVICES: &str = "all";
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Client {
    pub(crate) fn new(transport: Transport, options: ClientOptions) -> Self {
        let limits = options.limits.at_pace(options.pace);
        let limits_of_reads = options.limits.of_reads_at_pace(options.pace);
        // A connection that takes the whole time must fail as «not sent» before the call fails as «lost».
        let connect = limits.connect.min(limits.total / 2);
        let wanted = Wanted { ca_certificate: options.ca_certificate.as_deref().map(Arc::from), connect };
        let account = Arc::from(options.account.as_str());
        Self {
            transport,
            options: Arc::new(options),
            limits,
            limits_of_reads,
            wanted,
            account,
            counts: Arc::default(),
        }
    }

    /// The same client, using the budget of `account`.
    #[must_use]
    pub fn with_account(&self, account: &str) -> Self {
        Self { account: Arc::from(account), ..self.clone() }
    }

    /// The account whose budget is used.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The provider's name.
    pub fn provider(&self) -> &'static str {
        self.options.provider
    }

    /// The limits of changes, `pace` applied. After `total` such a call surely sends nothing more.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The limits of that call, `pace` applied.
    pub(crate) fn limits_of(&self, call: &Call) -> Limits {
        if call.effect == Effect::Read { self.limits_of_reads } else { self.limits }
    }

    /// How many requests were sent, by action, tries counted one by one.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins counting anew.
    pub fn reset_counts(&self) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn count(&self, action: &'static str) -> u64 {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(action).or_default();
        *count += 1;
        *count
    }

    /// Sends a call and gives back the cloud's answer, of any status.
    ///
    /// Repeats, with growing jittered pauses and within the total limit: what was surely not sent; of a
    /// [`Effect::Read`] also lost answers and those whose verdict is not fine; and once, what was refused while this
    /// machine's clock was found to be wrong, or with a token that the signer can have anew. A last answer that is not fine is given back as it is. Dropping the
    /// future does not take back what was sent.
    ///
    /// # Errors
    /// [`Error`] when there is no answer; its kind says what is known.
    pub fn send(&self, call: Call) -> BoxFuture<'_, Result<Response, Error>> {
        // Boxed once here, so that who awaits it is not compiled with all that HTTP is made of.
        Box::pin(self.send_watched(call))
    }

    async fn send_watched(&self, call: Call) -> Result<Response, Error> {
        let span = telemetry::span(self.options.provider, &call);
        let clock = self.transport.clock();
        let started = clock.monotonic();
        let mut tries = 0;
        let reads = &self.transport.shared.reads;
        let changing = (call.effect != Effect::Read)
            .then(|| reads.change(self.options.provider, &self.account, call.service));
        let result = self.send_within(&call, started, &mut tries).instrument(span.clone()).await;
        drop(changing);
        let duration = clock.monotonic().saturating_sub(started);
        let provider = self.options.provider;
        let ended = telemetry::Ended { provider, call: &call, result: &result, tries, duration };
        telemetry::ended(&span, &ended);
        result
    }

    async fn send_within(&self, call: &Call, started: Duration, tries: &mut u32) -> Result<Response, Error> {
        if !hosts::admits(&self.options.allowed_hosts, &call.url) {
            let host = call.url.host_str().unwrap_or_default();
            let message = format!("`{host}` is not one of the connection's own hosts");
            return Err(Error::new(ErrorKind::ForeignHost, call.action, message));
        }
        if call.is_nameless {
            let message = format!("a part of the path `{}` is empty", call.url.path());
            return Err(Error::new(ErrorKind::Invalid, call.action, message));
        }
        let clock = self.transport.clock();
        let mut signed_anew = false;
        let mut shared = match self.turn(call, started).await? {
            Turn::Ours(shared) => shared,
            Turn::Answered(response) => return Ok(response),
        };
        loop {
            if *tries > 0 {
                self.wait_for_budget(call, self.left(call, started)).await?;
            }
            *tries += 1;
            let left = self.left(call, started);
            let ended = Attempt::new(self, call, *tries, left).run().await;
            let pause = match &ended {
                Ok(answered) => match self.renewal(call, answered).await {
                    Some(Renewal::Now) if !signed_anew => {
                        signed_anew = true;
                        Some(Duration::ZERO)
                    }
                    Some(Renewal::After(retry_after)) => return Err(refused_young(call, retry_after)),
                    _ => self.pause_after_answer(call, answered, *tries),
                },
                Err(error) => self.pause_after_error(call, error, *tries),
            };
            let first = shared.take();
            match pause {
                Some(pause) if *tries < TRIES && pause < self.left(call, started) => {
                    // Those who wait for this answer do not wait for another: they ask for themselves.
                    drop(first);
                    clock.sleep(pause).await;
                }
                _ => {
                    if let (Some(first), Ok(answered)) = (first, &ended) {
                        first.answered(&answered.response, clock.monotonic());
                    }
                    return ended.map(|answered| answered.response);
                }
            }
        }
    }

    /// The turn of the first try. A read that has to wait for it waits together with those that ask the same.
    async fn turn(&self, call: &Call, started: Duration) -> Result<Turn<'_>, Error> {
        if call.effect != Effect::Read {
            self.wait_for_budget(call, self.left(call, started)).await?;
            return Ok(Turn::Ours(None));
        }
        let age = Age::of(call);
        if matches!(age, Age::Fresh) && self.takes_turn_now(call) {
            telemetry::waited(self.options.provider, call.service, call.lane, Duration::ZERO);
            return Ok(Turn::Ours(None));
        }
        let client = Arc::as_ptr(&self.options).addr();
        let question = Question::of(call, client, &self.account);
        loop {
            let now = self.transport.clock().monotonic();
            let wish = Wish { provider: self.options.provider, service: call.service, age, now };
            match self.transport.shared.reads.join(question.clone(), wish) {
                Joined::Known(response) => return Ok(Turn::Answered(response)),
                Joined::First(mut first) => {
                    self.wait_for_budget(call, self.left(call, started)).await?;
                    first.goes();
                    return Ok(Turn::Ours(Some(first)));
                }
                Joined::After(mut awaited) => {
                    tokio::select! {
                        biased;
                        answer = awaited.wait_for(Option::is_some) => {
                            if let Some(response) = answer.ok().and_then(|answer| answer.clone()) {
                                return Ok(Turn::Answered(response));
                            }
                        }
                        () = self.transport.clock().sleep(self.left(call, started)) => {
                            return Err(used_up(call, self.gate(call).foreseen(call.lane)));
                        }
                    }
                }
            }
        }
    }

    /// Whether a refusal may end with another signature: at the right time, or with another token. `None`: it is none.
    async fn renewal(&self, call: &Call, answered: &Answered) -> Option<Renewal> {
        if answered.clock_was_wrong && response::is_refusal(&answered.response) {
            return Some(Renewal::Now);
        }
        let signer = &self.options.signer;
        if answered.response.status.is_success() {
            signer.accepted(&answered.request).await;
            return None;
        }
        if (self.options.classify)(&answered.response) != Verdict::Unauthenticated {
            return None;
        }
        Some(signer.refused(&answered.request, attempt::context(self, call)).await)
    }

    /// What is left of the call's time.
    fn left(&self, call: &Call, started: Duration) -> Duration {
        let passed = self.transport.clock().monotonic().saturating_sub(started);
        self.limits_of(call).total.saturating_sub(passed)
    }

    async fn wait_for_budget(&self, call: &Call, limit: Duration) -> Result<(), Error> {
        let clock = self.transport.clock();
        let started = clock.monotonic();
        let turn = match (self.gate(call).acquire(call.lane, limit).await, self.common_gate(call)) {
            (Ok(()), Some(common)) => {
                let passed = clock.monotonic().saturating_sub(started);
                common.acquire(call.lane, limit.saturating_sub(passed)).await
            }
            (turn, _) => turn,
        };
        let waited = clock.monotonic().saturating_sub(started);
        telemetry::waited(self.options.provider, call.service, call.lane, waited);
        turn.map_err(|retry_after| used_up(call, retry_after))
    }

    /// Takes a turn that is free now, at both gates or at none.
    fn takes_turn_now(&self, call: &Call) -> bool {
        let own = self.gate(call);
        if !own.take_now() {
            return false;
        }
        let is_free = self.common_gate(call).is_none_or(|common| common.take_now());
        if !is_free {
            own.give_back();
        }
        is_free
    }

    /// The gate of all calls of the account by that method, where the cloud counts them together.
    fn common_gate(&self, call: &Call) -> Option<Arc<Gate>> {
        let method = method_word(&call.method)?;
        let bucket = self.options.buckets.methods.get(method)?.at_pace(self.options.pace);
        let key = (self.options.provider, self.account.to_string(), ALL_SERVICES, method);
        Some(self.transport.shared.budget.gate(key, bucket))
    }

    fn gate(&self, call: &Call) -> Arc<Gate> {
        let key = (self.options.provider, self.account.to_string(), call.service, call.action);
        let bucket = self.options.buckets.of(call.service, call.action).at_pace(self.options.pace);
        self.transport.shared.budget.gate(key, bucket)
    }

    /// The pause before the answer is asked for again; `None` when it is given back.
    fn pause_after_answer(&self, call: &Call, answered: &Answered, tries: u32) -> Option<Duration> {
        let least = match (self.options.classify)(&answered.response) {
            Verdict::Fine | Verdict::Unauthenticated => return None,
            Verdict::Unavailable => Duration::ZERO,
            Verdict::Throttled { retry_after } => {
                telemetry::throttled(self.options.provider, call.service, call.action);
                self.gate(call).lower(retry_after);
                // Which of the two was meant no cloud says in one way. The pause is the action's: one service that asks
                // for a long one must not keep the others from being asked.
                if let Some(common) = self.common_gate(call) {
                    common.lower(None);
                }
                retry_after.unwrap_or_default()
            }
        };
        (call.effect == Effect::Read).then(|| self.backoff(tries).max(least))
    }

    fn pause_after_error(&self, call: &Call, error: &Error, tries: u32) -> Option<Duration> {
        let again = match error.kind() {
            ErrorKind::NotSent => true,
            ErrorKind::Lost => call.effect == Effect::Read,
            _ => false,
        };
        again.then(|| self.backoff(tries))
    }

    /// Doubles with each try; half of it is chance, so that callers who failed together do not come back together.
    fn backoff(&self, tries: u32) -> Duration {
        let whole =
            FIRST_PAUSE.saturating_mul(1 << tries.min(16)).min(LONGEST_PAUSE) / self.options.pace.max(1);
        let half = whole / 2;
        // Each hasher of the standard library begins with other keys; good enough for spreading load.
        let chance = RandomState::new().hash_one(tries) % 1024;
        half + half * u32::try_from(chance).unwrap_or_default() / 1024
    }
}

/// How a read begins.
enum Turn<'a> {
    /// It is sent now; others may wait for its answer.
    Ours(Option<First<'a>>),
    /// Somebody else asked the same.
    Answered(Response),
}

fn used_up(call: &Call, retry_after: Duration) -> Error {
    let message = format!("the request budget is used up for {} s more", retry_after.as_secs().max(1));
    Error::new(ErrorKind::Budget { retry_after }, call.action, message)
}

/// The error of a call that was refused with what a good credential was given a moment ago.
fn refused_young(call: &Call, retry_after: Duration) -> Error {
    let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
    let message = format!(
        "the cloud refuses what it gave this credential a moment ago to sign with; asked for anew in {seconds} s"
    );
    Error::new(ErrorKind::Refused { retry_after }, call.action, message)
}

fn method_word(method: &Method) -> Option<&'static str> {
    ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"].into_iter().find(|word| method == word)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("provider", &self.options.provider)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}
