//! The control routes `/_sim/…` that every simulated cloud has: ground truth, calls, clock, faults, reset.
//!
//! They never pass through faults or the record of calls.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cloud::{self, Cloud};
use crate::faults::Rule;
use crate::resources::by_kind;
use crate::shown;

/// The longest accepted single advance: ten years.
const LONGEST_ADVANCE_SECONDS: f64 = 315_360_000.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Speed {
    speed: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    seconds: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PutFaults {
    rules: Option<Vec<Rule>>,
    #[serde(default)]
    events: Vec<Value>,
}

/// Whether the path is a control route.
pub(crate) fn is_control(path: &str) -> bool {
    path == "/_sim" || path.starts_with("/_sim/")
}

/// Answers one control request.
pub(crate) fn answer(cloud: &dyn Cloud, request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path().trim_end_matches('/');
    let body = request.body();
    let result = match (request.method(), path) {
        (&Method::GET, "/_sim") => Ok(json!({"cloud": cloud.name(), "routes": ROUTES})),
        (&Method::GET, "/_sim/resources") => Ok(resources(cloud)),
        (&Method::GET, "/_sim/calls") => {
            let calls = &cloud.controls().calls;
            Ok(json!({"calls": calls.records(), "counts": calls.counts()}))
        }
        (&Method::DELETE, "/_sim/calls") => {
            cloud.controls().calls.clear();
            Ok(json!({}))
        }
        (&Method::GET, "/_sim/clock") => Ok(clock(cloud)),
        (&Method::PUT, "/_sim/clock") => set_speed(cloud, body),
        (&Method::POST, "/_sim/clock/advance") => advance(cloud, body),
        (&Method::GET, "/_sim/faults") => {
            let controls = cloud.controls();
            Ok(json!({"rules": controls.faults.rules(), "deeds": controls.deeds.done()}))
        }
        (&Method::PUT, "/_sim/faults") => put_faults(cloud, body),
        (&Method::DELETE, "/_sim/faults") => {
            cloud.controls().faults.clear();
            Ok(json!({"rules": []}))
        }
        (&Method::POST, "/_sim/reset") => {
            cloud.controls().reset();
            cloud.reset();
            Ok(json!({}))
        }
        (_, path) => {
            let known = ROUTES.iter().any(|route| route.split(' ').nth(1) == Some(path));
            let status = if known { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::NOT_FOUND };
            return reply(status, &json!({"error": "no such control route", "routes": ROUTES}));
        }
    };
    match result {
        Ok(value) => reply(StatusCode::OK, &value),
        Err(error) => reply(StatusCode::BAD_REQUEST, &json!({"error": error})),
    }
}

const ROUTES: [&str; 10] = [
    "GET /_sim/resources",
    "GET /_sim/calls",
    "DELETE /_sim/calls",
    "GET /_sim/clock",
    "PUT /_sim/clock",
    "POST /_sim/clock/advance",
    "GET /_sim/faults",
    "PUT /_sim/faults",
    "DELETE /_sim/faults",
    "POST /_sim/reset",
];

fn resources(cloud: &dyn Cloud) -> Value {
    cloud::catch_up(cloud);
    json!({"resources": by_kind(cloud.resources())})
}

fn clock(cloud: &dyn Cloud) -> Value {
    cloud::catch_up(cloud);
    let clock = &cloud.controls().clock;
    let now = clock.now();
    let due = cloud::next_due(cloud).map(|due| due.saturating_sub(now.work).as_secs_f64());
    json!({
        "speed": clock.speed(),
        "wall": now.wall,
        "workSeconds": now.work.as_secs_f64(),
        "nextDueInSeconds": due,
    })
}

fn set_speed(cloud: &dyn Cloud, body: &Bytes) -> Result<Value, String> {
    let Speed { speed } = read(body)?;
    if !(0.0..=crate::SimulationClock::MAX_SPEED).contains(&speed) {
        return Err(format!("speed must lie between 0 and {}", crate::SimulationClock::MAX_SPEED));
    }
    cloud.controls().clock.set_speed(speed);
    Ok(clock(cloud))
}

fn advance(cloud: &dyn Cloud, body: &Bytes) -> Result<Value, String> {
    let Advance { seconds } = read(body)?;
    if !(0.0..=LONGEST_ADVANCE_SECONDS).contains(&seconds) {
        return Err(format!("seconds must lie between 0 and {LONGEST_ADVANCE_SECONDS}"));
    }
    let by = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    cloud.controls().clock.advance(by);
    Ok(clock(cloud))
}

fn put_faults(cloud: &dyn Cloud, body: &Bytes) -> Result<Value, String> {
    let PutFaults { rules, events } = read(body)?;
    if events.iter().any(shown::says_what_none_says) {
        cloud.controls().exchanges.leave_off();
    }
    let results: Vec<Value> =
        events.iter().map(|event| cloud.event(event)).collect::<Result<_, _>>().map_err(|error| error.0)?;
    if let Some(rules) = rules {
        cloud.controls().faults.put(rules);
    }
    Ok(json!({"rules": cloud.controls().faults.rules(), "events": results}))
}

fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("the body cannot be read: {error}"))
}

fn reply(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(value.to_string()));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
