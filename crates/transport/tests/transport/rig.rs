//! A client against a misbehaving server on virtual time, with every recorder and observer at hand.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use pmks_transport::{
    AllowedHost, Call, Client, ClientOptions, Clock, Effect, Error, Faults, HeaderValue, Limits,
    MemoryRecorder, Method, Response, SignContext, SignError, Signer, Transport, TransportBuilder, Url,
    VirtualClock,
};

use crate::server::{Act, Server};

/// An answer with a secret in it.
pub(crate) const SECRET_ANSWER: &str =
    "<R><AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>hunter2</SecretAccessKey></R>";

/// Signs with the time it is given, so that tests see when and how often.
#[derive(Debug)]
pub(crate) struct TimeSigner;

#[async_trait]
impl Signer for TimeSigner {
    async fn sign(
        &self,
        request: &mut http::Request<Bytes>,
        context: SignContext<'_>,
    ) -> Result<(), SignError> {
        let text = format!("{} {} {}", context.service, context.region.unwrap_or("-"), context.now);
        let value =
            HeaderValue::from_str(&text).map_err(|error| SignError::credential("odd").caused_by(error))?;
        request.headers_mut().insert("x-signed", value);
        request.headers_mut().insert("authorization", HeaderValue::from_static("Bearer hunter2hunter2"));
        Ok(())
    }
}

pub(crate) struct Rig {
    pub(crate) server: Server,
    pub(crate) clock: VirtualClock,
    pub(crate) recorder: Arc<MemoryRecorder>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) client: Client,
}

impl Rig {
    pub(crate) async fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        Self::with(acts, |options| options, |builder| builder).await
    }

    pub(crate) async fn with(
        acts: impl IntoIterator<Item = Act>,
        options: impl FnOnce(ClientOptions) -> ClientOptions,
        builder: impl FnOnce(TransportBuilder) -> TransportBuilder,
    ) -> Self {
        let server = Server::start(acts).await;
        let clock = VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
        let recorder = Arc::new(MemoryRecorder::new());
        let faults = Arc::new(Faults::new());
        let transport = builder(
            Transport::builder(Arc::new(clock.clone())).recorder(recorder.clone()).faults(faults.clone()),
        )
        .build();
        let endpoint = Url::parse(&format!("http://{}/", server.address)).unwrap();
        let mut chosen = ClientOptions::new("aws", Arc::new(TimeSigner));
        chosen.allowed_hosts = vec![AllowedHost::origin_of(&endpoint)];
        chosen.limits = Limits { read: Duration::from_secs(5), ..Limits::default() };
        let client = transport.client(options(chosen)).unwrap();
        Self { server, clock, recorder, faults, client }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.server.address)).unwrap()
    }

    pub(crate) fn call(&self, effect: Effect) -> Call {
        Call::new("eks", "eks.DoIt", effect, Method::POST, self.url("/do"))
    }

    /// A read with secrets in its address, its headers and its body.
    pub(crate) fn secret_call(&self) -> Call {
        Call::new("iam", "iam.CreateAccessKey", Effect::Read, Method::POST, self.url("/p"))
            .query("X-Amz-Signature", "hunter2")
            .query("maxResults", "100")
            .form(&[("Action", "CreateAccessKey"), ("UserData", "hunter2")])
    }

    /// Sends a call, moving the clock over every pause, and says how long it took on that clock.
    pub(crate) async fn send(&self, effect: Effect) -> (Result<Response, Error>, Duration) {
        self.send_call(self.call(effect)).await
    }

    pub(crate) async fn send_call(&self, call: Call) -> (Result<Response, Error>, Duration) {
        let start = self.clock.monotonic();
        let result = self.clock.run(Duration::from_millis(40), self.client.send(call)).await;
        (result, self.clock.monotonic().saturating_sub(start))
    }
}
