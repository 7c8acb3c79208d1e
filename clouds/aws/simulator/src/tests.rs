//! The simulated AWS through its front door: signed requests in, the protocols' answers out, on virtual time.

mod balancers;
mod faults;
mod identity;
mod networks;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::{Cloud, Effect, Effects, ManualTime};
use serde_json::Value;

use crate::{AwsCloud, Settings, signature};

/// A fresh cloud on virtual time.
struct Rig {
    cloud: AwsCloud,
    time: Arc<ManualTime>,
    key: (String, String),
}

/// What came back.
#[derive(Debug)]
struct Got {
    status: u16,
    code: Option<String>,
    body: String,
}

impl Got {
    /// The text of the first element of this name.
    fn text(&self, element: &str) -> String {
        self.texts(element).into_iter().next().unwrap_or_default()
    }

    /// The texts of all elements of this name.
    fn texts(&self, element: &str) -> Vec<String> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let parts = self.body.split(&open).skip(1);
        parts.filter_map(|part| part.split(&close).next().map(str::to_owned)).collect()
    }
}

impl Rig {
    fn new() -> Self {
        let time = Arc::new(ManualTime::new("2026-11-23T12:00:00Z".parse().unwrap()));
        let settings = Settings { time: Arc::clone(&time) as Arc<_>, ..Settings::default() };
        let cloud = AwsCloud::new(settings);
        let credential = cloud.connection("http://127.0.0.1:1")["credential"].clone();
        let text = |key: &str| credential.get(key).and_then(Value::as_str).unwrap().to_owned();
        Self { key: (text("accessKeyId"), text("secretAccessKey")), cloud, time }
    }

    fn advance(&self, seconds: u64) {
        self.time.advance(Duration::from_secs(seconds));
    }

    fn request(&self, service: &str, body: &str) -> Request<Bytes> {
        let request = Request::builder().method("POST").uri("/").body(Bytes::from(body.to_owned())).unwrap();
        let at = self.cloud.controls().clock.wall();
        signature::tests::sign(request, (&self.key.0, &self.key.1), ("ap-northeast-2", service), at)
    }

    /// One call struck by these faults; `parameters` is a form.
    fn call_with(&self, service: &str, action: &str, parameters: &str, effects: Vec<Effect>) -> Got {
        let version = match service {
            "ec2" => "2016-11-15",
            "iam" => "2010-05-08",
            "elasticloadbalancing" => "2015-12-01",
            _ => "2011-06-15",
        };
        self.send(&self.request(service, &format!("Action={action}&Version={version}&{parameters}")), effects)
    }

    fn send(&self, request: &Request<Bytes>, effects: Vec<Effect>) -> Got {
        let call = self.cloud.identify(request);
        let answered = self.cloud.answer(request, &call, &Effects::of(effects));
        let body = String::from_utf8(answered.response.body().to_vec()).unwrap();
        Got { status: answered.response.status().as_u16(), code: answered.code, body }
    }

    /// A call that must go well.
    fn ec2(&self, action: &str, parameters: &str) -> Got {
        let got = self.call_with("ec2", action, parameters, Vec::new());
        assert_eq!(got.status, 200, "{action} {parameters}: {}", got.body);
        got
    }

    /// The code with which a call is refused.
    fn refused(&self, service: &str, action: &str, parameters: &str) -> String {
        let got = self.call_with(service, action, parameters, Vec::new());
        got.code.unwrap_or_else(|| panic!("{action} {parameters} went well: {}", got.body))
    }

    fn ids(&self, kind: &str) -> Vec<String> {
        let rows = self.cloud.resources();
        rows.into_iter().filter(|row| row.kind == kind).map(|row| row.id).collect()
    }
}
