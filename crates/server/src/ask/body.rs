//! Bodies of requests that change something, with the caller and the idempotency key.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use pmks_core::Caller;
use pmks_model::{Failure, FailureKind, Findings};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::idempotency;
use super::reading::{self, Read};
use crate::State;
use crate::refused::Refused;

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// A request that changes something. A body that is left out is read as `{}`.
pub(crate) struct Asked<T> {
    pub(crate) caller: Caller,
    pub(crate) body: T,
}

/// The same, read as far as it can be: what could not be read of its numbers is told together with whatever else is
/// wrong, and something harmless stands in the body for it.
pub(crate) struct Told<T> {
    pub(crate) caller: Caller,
    pub(crate) body: T,
    pub(crate) unreadable: Findings,
}

/// The body of a request that has none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoFields {}

/// A JSON merge patch in the shape of `T`, as it was sent: `null` removes.
pub(crate) struct Patched<T> {
    pub(crate) caller: Caller,
    pub(crate) patch: Value,
    /// The version tag that the caller read, `*`: any.
    pub(crate) if_match: String,
    shape: PhantomData<T>,
}

impl<T: DeserializeOwned> FromRequest<Arc<State>> for Asked<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &Arc<State>) -> Result<Self, Refused> {
        let Told { caller, body, unreadable } = Told::from_request(request, state).await?;
        unreadable.into_result().map_err(Failure::invalid)?;
        Ok(Self { caller, body })
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<State>> for Told<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &Arc<State>) -> Result<Self, Refused> {
        let (parts, bytes) = read(request, state, &[JSON]).await?;
        let Read { value, unreadable } = reading::read(&bytes)?;
        Ok(Self { caller: caller(&parts, &bytes)?, body: value, unreadable })
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<State>> for Patched<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &Arc<State>) -> Result<Self, Refused> {
        let (parts, bytes) = read(request, state, &[MERGE_PATCH, JSON]).await?;
        // Numbers that are none are the facade's to find beside whatever else is wrong: it is handed what was sent.
        reading::read::<T>(&bytes)?;
        let (patch, if_match) = (reading::read(&bytes)?.value, if_match(&parts.headers)?);
        Ok(Self { caller: caller(&parts, &bytes)?, patch, if_match, shape: PhantomData })
    }
}

async fn read(request: Request, state: &State, types: &[&str]) -> Result<(Parts, Bytes), Refused> {
    let limit = state.limits.body_bytes;
    let too_large =
        || Refused::new(FailureKind::BodyTooLarge, format!("bodies of up to {limit} bytes are read"));
    let (parts, body) = request.into_parts();
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let bytes = match Limited::new(body, limit).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(_) => return Err(Refused::new(FailureKind::Malformed, "the body ended too early")),
    };
    if !bytes.is_empty() && !is_one_of(&parts.headers, types) {
        let refused = Refused::malformed("Content-Type", format!("must be {}", types.join(" or ")));
        return Err(refused.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    Ok((parts, bytes))
}

fn is_one_of(headers: &HeaderMap, types: &[&str]) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    types.iter().any(|known| essence.eq_ignore_ascii_case(known))
}

fn caller(parts: &Parts, body: &[u8]) -> Result<Caller, Refused> {
    let caller = parts.extensions.get::<Caller>().cloned();
    let mut caller = caller.ok_or_else(|| Refused::new(FailureKind::NotAuthenticated, "nobody asks"))?;
    caller.idempotency = idempotency::key(parts, body)?;
    Ok(caller)
}

fn if_match(headers: &HeaderMap) -> Result<String, Refused> {
    let value = headers.get(IF_MATCH).and_then(|value| value.to_str().ok()).map(str::trim);
    let value = value.filter(|value| !value.is_empty()).ok_or_else(|| {
        Refused::invalid("If-Match", "is required: the ETag of what was read, or * for any")
    })?;
    let strong = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Ok(strong.unwrap_or(value).to_owned())
}
