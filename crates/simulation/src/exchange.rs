//! One API call through the faults: identified, struck, carried out, recorded.
//!
//! Knows no cloud's protocol; refusals and answers are the cloud's.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};

use crate::body::{self, Body};
use crate::calls::CallRecord;
use crate::cloud::{self, Answered, Cloud, Identified, Refusal};
use crate::{Effect, Effects, Now, others};

/// The longest delay a fault may make, so that a mistaken rule does not hold a connection for ever.
const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// The connection is to be reset without an answer.
#[derive(Debug, thiserror::Error)]
#[error("a fault cut the connection")]
pub(crate) struct Cut;

/// Carries out one call.
///
/// # Errors
/// [`Cut`] when a fault says that the client gets no answer.
pub(crate) async fn exchange(cloud: &dyn Cloud, request: Request<Bytes>) -> Result<Response<Body>, Cut> {
    cloud::catch_up(cloud);
    let call = cloud.identify(&request);
    let controls = cloud.controls();
    let effects = controls.faults.strike(&call.service, &call.action, call.resource.as_deref());
    for effect in effects.iter() {
        if let Effect::Delay { seconds } = effect {
            let delay = Duration::try_from_secs_f64(*seconds).unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY);
            tokio::time::sleep(delay).await;
        }
    }
    for effect in effects.iter() {
        if !others::act(cloud, &call, effect) {
            controls.faults.spare(effect);
        }
    }
    let now = controls.clock.now();
    for effect in effects.iter() {
        match effect {
            Effect::ResetBefore => {
                controls.exchanges.record(&call, &request, None);
                return cut(cloud, &call, now, false);
            }
            Effect::ApplyLate { seconds } => {
                let due = now.work.saturating_add(Duration::from_secs(*seconds));
                controls.exchanges.record(&call, &request, None);
                controls.apply_later(due, request, call.clone());
                return cut(cloud, &call, now, false);
            }
            _ => {}
        }
        if let Some((refusal, retry_after)) = refusal(effect) {
            let answered = cloud.refuse(&call, &refusal);
            // What it says to its own refusals is its own; a test says the words of this one.
            let own = Some(&answered).filter(|_| !matches!(refusal, Refusal::Status { .. }));
            controls.exchanges.record(&call, &request, own);
            record(cloud, &call, now, Some(&answered), false);
            return Ok(with_retry_after(answered.response, retry_after).map(body::whole));
        }
    }
    // A delayed request meets the world as it is when the delay is over.
    cloud::catch_up(cloud);
    let answered = cloud.answer(&request, &call, &effects);
    cloud.kept().await;
    // Also where it is lost or spoiled on its way: this is what the cloud itself said.
    controls.exchanges.record(&call, &request, Some(&answered));
    if effects.iter().any(|effect| *effect == Effect::ResetAfter) {
        return cut(cloud, &call, now, true);
    }
    record(cloud, &call, now, Some(&answered), true);
    Ok(spoiled(answered.response, &effects))
}

fn refusal(effect: &Effect) -> Option<(Refusal, Option<u64>)> {
    match effect {
        Effect::Throttle { retry_after_seconds } => Some((Refusal::Throttle, *retry_after_seconds)),
        Effect::Deny => Some((Refusal::Deny, None)),
        Effect::Status { status, code, message } => {
            Some((Refusal::Status { status: *status, code: code.clone(), message: message.clone() }, None))
        }
        _ => None,
    }
}

fn with_retry_after(mut response: Response<Bytes>, seconds: Option<u64>) -> Response<Bytes> {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn spoiled(response: Response<Bytes>, effects: &Effects) -> Response<Body> {
    let (mut head, bytes) = response.into_parts();
    for effect in effects.iter() {
        match effect {
            Effect::GarbageBody => {
                head.status = StatusCode::OK;
                return Response::from_parts(
                    head,
                    body::whole(Bytes::from_static(b"\x00\xff<{not an answer")),
                );
            }
            Effect::TruncatedBody => {
                head.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
                return Response::from_parts(head, body::truncated(&bytes));
            }
            _ => {}
        }
    }
    Response::from_parts(head, body::whole(bytes))
}

fn cut<T>(cloud: &dyn Cloud, call: &Identified, now: Now, applied: bool) -> Result<T, Cut> {
    record(cloud, call, now, None, applied);
    Err(Cut)
}

fn record(cloud: &dyn Cloud, call: &Identified, now: Now, answered: Option<&Answered>, applied: bool) {
    cloud.controls().calls.record(CallRecord {
        time: now.wall,
        work_seconds: now.work.as_secs_f64(),
        service: call.service.clone(),
        action: call.action.clone(),
        resource: call.resource.clone(),
        caller: call.caller.clone(),
        status: answered.map(|answered| answered.response.status().as_u16()),
        code: answered.and_then(|answered| answered.code.clone()),
        request_id: answered.map(|answered| answered.request_id.clone()),
        applied,
    });
}
