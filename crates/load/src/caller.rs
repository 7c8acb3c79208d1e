//! One connection to a server over HTTP/1.1, kept open: what a request costs here must be little, since whoever is
//! measured shares the processors with it.

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Where requests go, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Host and port.
    pub(crate) address: String,
    /// The API token.
    pub(crate) token: String,
    /// How it is sent.
    pub(crate) scheme: Scheme,
}

/// How a token is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scheme {
    /// As everybody sends it.
    Bearer,
    /// As the password of any name: how CB-Spider's clients send one.
    Basic,
}

impl Target {
    /// The same, asked as CB-Spider's clients ask.
    pub(crate) fn as_spider(&self) -> Self {
        Self { scheme: Scheme::Basic, ..self.clone() }
    }

    fn authorization(&self) -> String {
        match self.scheme {
            Scheme::Bearer => format!("Bearer {}", self.token),
            Scheme::Basic => format!("Basic {}", STANDARD.encode(format!("load:{}", self.token))),
        }
    }
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Bytes,
}

impl Ask {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: Bytes::new() }
    }

    pub(crate) fn post(path: impl Into<String>, body: &Value) -> Self {
        Self { method: Method::POST, path: path.into(), body: body.to_string().into() }
    }
}

/// A connection.
pub(crate) struct Caller {
    sender: SendRequest<Full<Bytes>>,
    address: String,
    authorization: String,
}

impl Caller {
    pub(crate) async fn open(target: &Target) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(&target.address).await.with_context(|| target.address.clone())?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Its end shows at the next request.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, address: target.address.clone(), authorization: target.authorization() })
    }

    /// The answer, its body still to be read.
    pub(crate) async fn answer(&mut self, ask: &Ask) -> anyhow::Result<Response<Incoming>> {
        let request = Request::builder()
            .method(&ask.method)
            .uri(&ask.path)
            .header(HOST, &self.address)
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(ask.body.clone()))?;
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }

    /// Sends it, which must succeed with that status, drops the body as it comes, and answers how long that was.
    pub(crate) async fn drain(&mut self, ask: &Ask, expected: StatusCode) -> anyhow::Result<usize> {
        let answer = self.answer(ask).await?;
        let status = answer.status();
        if status != expected {
            let body = answer.into_body().collect().await?.to_bytes();
            anyhow::bail!("{} {}: {status} {}", ask.method, ask.path, String::from_utf8_lossy(&body));
        }
        let (mut body, mut bytes) = (answer.into_body(), 0);
        while let Some(frame) = body.frame().await {
            bytes += frame?.data_ref().map_or(0, Bytes::len);
        }
        Ok(bytes)
    }

    /// Sends it and reads its body, which must tell of a success.
    pub(crate) async fn text(&mut self, ask: &Ask) -> anyhow::Result<String> {
        let answer = self.answer(ask).await?;
        let status = answer.status();
        let body = String::from_utf8_lossy(&answer.into_body().collect().await?.to_bytes()).into_owned();
        anyhow::ensure!(status.is_success(), "{} {}: {status} {body}", ask.method, ask.path);
        Ok(body)
    }

    /// The same, as JSON.
    pub(crate) async fn json(&mut self, ask: &Ask) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.text(ask).await?)?)
    }
}
