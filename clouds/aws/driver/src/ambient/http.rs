//! The way out that AWS' crate is given: the house's transport, so that there is one HTTP, one TLS, one set of hosts
//! and one record. Signs nothing, and repeats nothing that was sent: the crate does both.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use pmks_driver::{Effect, Result};
use pmks_transport::{
    AllowedHost, Call, Client, ClientOptions, ErrorKind, HeaderName, HeaderValue, Lane, Limits, Method,
    NoSigner, Redaction, Response, Url,
};

use super::Setting;
use crate::endpoints::Partition;
use crate::{PROVIDER, errors};

/// What our records and metrics call these requests.
const SERVICE: &str = "ambient";
const ACTION: &str = "ambient.Credentials";

/// Where machines and containers are given credentials, beside AWS' own hosts.
///
/// Sources: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>,
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
const LOCAL: [&str; 5] = [
    "http://169.254.169.254",
    "http://[fd00:ec2::254]",
    "http://169.254.170.2",
    "http://169.254.170.23",
    "http://[fd00:ec2::23]",
];
/// Variables that name other ones.
const NAMED: [&str; 6] = [
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
];

/// The house's transport as the crate's client.
#[derive(Clone, Debug)]
pub(super) struct House {
    setting: Setting,
    client: Client,
}

impl House {
    /// Sends nothing yet.
    pub(super) fn new(setting: &Setting) -> Result<Self> {
        Ok(Self { client: client(setting, Limits::default())?, setting: setting.clone() })
    }
}

fn client(setting: &Setting, limits: Limits) -> Result<Client> {
    let mut options = ClientOptions::new(PROVIDER, std::sync::Arc::new(NoSigner));
    options.account = format!("{SERVICE}/{}", setting.region);
    options.limits = limits;
    options.allowed_hosts = hosts(setting);
    // A token of an instance is an answer without a name.
    options.redaction = Redaction::default().without_bodies();
    let made = setting.transport.client(options);
    made.map_err(|error| errors::TABLE.of_transport(ACTION, Effect::Read, error))
}

fn hosts(setting: &Setting) -> Vec<AllowedHost> {
    let mut hosts = setting.hosts.clone();
    hosts.push(AllowedHost::Below(Partition::of(&setting.region).suffix.to_owned()));
    hosts.push(AllowedHost::Below("api.aws".to_owned()));
    let local = LOCAL.iter().copied().chain(NAMED.iter().filter_map(|name| setting.environment.get(name)));
    hosts.extend(local.filter_map(|text| Url::parse(text).ok()).map(|url| AllowedHost::origin_of(&url)));
    hosts
}

impl HttpClient for House {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let limits = limits(settings.connect_timeout(), settings.read_timeout());
        // The same options made a client before; only the limits are others.
        let client = client(&self.setting, limits).unwrap_or_else(|_| self.client.clone());
        SharedHttpConnector::new(Connector(client))
    }
}

/// The crate's own limits where it has some: an instance's metadata answer within a second or never.
fn limits(connect: Option<Duration>, read: Option<Duration>) -> Limits {
    let usual = Limits::default();
    let (connect, read) = (connect.unwrap_or(usual.connect), read.unwrap_or(usual.read));
    Limits { connect, read, total: (connect + read).min(usual.total), ..usual }
}

#[derive(Debug)]
struct Connector(Client);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let call = call_of(&request).map_err(ConnectorError::user)?;
            let answer = client.send(call).await.map_err(unanswered)?;
            response_of(&answer).map_err(|error| ConnectorError::other(error, None))
        })
    }
}

fn call_of(request: &HttpRequest) -> std::result::Result<Call, Box<dyn std::error::Error + Send + Sync>> {
    let url = Url::parse(request.uri())?;
    let method = Method::from_bytes(request.method().as_bytes())?;
    // Not a read: those the transport repeats, and the crate repeats what it likes by itself.
    let mut call = Call::new(SERVICE, ACTION, Effect::Creates, method, url).lane(Lane::Live);
    for (name, value) in request.headers() {
        call = call.header(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    }
    let body = request.body().bytes().ok_or("a body that streams")?;
    Ok(call.body(body.to_vec()))
}

fn response_of(
    answer: &Response,
) -> std::result::Result<HttpResponse, Box<dyn std::error::Error + Send + Sync>> {
    let status = StatusCode::try_from(answer.status.as_u16())?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body.to_vec()));
    for (name, value) in &answer.headers {
        if let Ok(value) = value.to_str() {
            response.headers_mut().append(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(response)
}

fn unanswered(error: pmks_transport::Error) -> ConnectorError {
    match error.kind() {
        ErrorKind::NotSent => ConnectorError::io(error.into()),
        ErrorKind::Lost | ErrorKind::Budget { .. } => ConnectorError::timeout(error.into()),
        _ => ConnectorError::user(error.into()),
    }
}
