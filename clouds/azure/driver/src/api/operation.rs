//! Work of Azure's own that an answer named: followed by the URL that Azure gave, on the connection's own hosts alone.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>

use std::time::Duration;

use http::Method;
use pmks_driver::{DriverError, Effect, Result};
use pmks_transport::{Response, Url, retry_after};
use serde_json::{Value, json};

use super::{Api, Shape, unexpected};
use crate::errors::{self, Said};

/// How the work stands.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Not yet.
    Running {
        /// Azure's word.
        says: String,
        /// When Azure wants to be asked again.
        after: Option<Duration>,
    },
    /// Done.
    Done,
    /// It will never come.
    Failed(DriverError),
}

/// What to follow: `Azure-AsyncOperation` tells more than `Location`, which only says «not yet».
pub(super) fn handle(response: &Response) -> Option<Value> {
    let text = |name: &str| response.headers.get(name)?.to_str().ok().map(str::to_owned);
    if let Some(url) = text("azure-asyncoperation") {
        return Some(json!({"operation": url}));
    }
    let location = text("location").filter(|_| response.status.as_u16() == 202)?;
    Some(json!({"location": location}))
}

impl Api {
    /// How the work behind a handle stands. `action` is the call that began it: its errors are told by that.
    ///
    /// # Errors
    /// `InvalidRequest` for a URL on a foreign host, which is not asked; `NotFound` where Azure no longer knows it.
    pub(crate) async fn progress(&self, action: &'static str, handle: &Value) -> Result<Progress> {
        let of = |key: &str| handle.get(key).and_then(Value::as_str);
        let (text, is_location) = match (of("operation"), of("location")) {
            (Some(url), _) => (url, false),
            (None, Some(url)) => (url, true),
            (None, None) => return Err(unexpected("Operations.Get", "there is nothing to follow")),
        };
        let url = Url::parse(text)
            .map_err(|error| unexpected("Operations.Get", "what to follow is no URL").caused_by(error))?;
        let shape = Shape {
            service: "resourceManager",
            action: "Operations.Get",
            effect: Effect::Read,
            method: &Method::GET,
            version: "",
        };
        let response = self.send(self.at(shape, url)).await?;
        if is_location {
            return Ok(of_location(&response));
        }
        let body: Value = serde_json::from_slice(&response.body)
            .map_err(|error| errors::TABLE.unreadable(shape.action, shape.effect, &response, error))?;
        Ok(of_operation(action, &body, &response))
    }
}

/// A `Location` answers 202 until the work is done.
fn of_location(response: &Response) -> Progress {
    match response.status.as_u16() {
        202 => Progress::Running { says: "accepted".to_owned(), after: retry_after(&response.headers) },
        _ => Progress::Done,
    }
}

fn of_operation(action: &'static str, body: &Value, response: &Response) -> Progress {
    let word = body.get("status").and_then(Value::as_str).unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "succeeded" => Progress::Done,
        "failed" | "canceled" | "cancelled" => {
            let said = body.get("error").and_then(errors::said_by);
            let said = said.unwrap_or_else(|| Said { code: word.to_owned(), message: String::new() });
            // Of the request that told it: Azure's support asks for one.
            let (code, request_id) = (Some(said.code.clone()), response.request_id.clone());
            let error = errors::of_operation(action, said);
            Progress::Failed(error.with_answer(response.status.as_u16(), code, request_id))
        }
        _ => Progress::Running { says: word.to_owned(), after: retry_after(&response.headers) },
    }
}

#[cfg(test)]
mod tests {
    use pmks_transport::{Bytes, HeaderMap, StatusCode};

    use super::*;

    fn response(status: u16, headers: &[(&'static str, &'static str)]) -> Response {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let status = StatusCode::from_u16(status).unwrap();
        Response { status, headers, body: Bytes::new(), request_id: None, duration: Duration::ZERO }
    }

    #[test]
    fn the_operation_is_preferred_to_the_location() {
        let both = [("azure-asyncoperation", "https://m/o"), ("location", "https://m/l")];
        assert_eq!(handle(&response(202, &both)), Some(json!({"operation": "https://m/o"})));
        assert_eq!(handle(&response(201, &both)), Some(json!({"operation": "https://m/o"})));
        let location = [("location", "https://m/l")];
        assert_eq!(handle(&response(202, &location)), Some(json!({"location": "https://m/l"})));
        assert_eq!(handle(&response(201, &location)), None);
        assert_eq!(handle(&response(200, &[])), None);
    }

    #[test]
    fn words_of_operations_are_told_apart() {
        let answer =
            Response { request_id: Some("r-1".to_owned()), ..response(200, &[("retry-after", "9")]) };
        let seen = |body: Value| match of_operation("ManagedClusters.Create", &body, &answer) {
            Progress::Running { says, after } => format!("running {says} {after:?}"),
            Progress::Done => "done".to_owned(),
            Progress::Failed(error) => {
                let failure = error.to_failure();
                assert_eq!(failure.provider_request_id.as_deref(), Some("r-1"));
                format!("{:?} {error}", failure.kind)
            }
        };
        assert_eq!(seen(json!({"status": "InProgress"})), "running InProgress Some(9s)");
        assert_eq!(seen(json!({"status": "NewWord"})), "running NewWord Some(9s)");
        assert_eq!(seen(json!({"status": "Succeeded"})), "done");
        let failed = json!({"status": "Failed", "error": {"code": "QuotaExceeded", "message": "no"}});
        assert_eq!(seen(failed), "QuotaExceeded QuotaExceeded: no");
        assert!(seen(json!({"status": "Canceled"})).contains("Canceled"));
    }

    #[test]
    fn a_location_is_done_when_it_no_longer_says_accepted() {
        assert!(matches!(
            of_location(&response(202, &[("retry-after", "3")])),
            Progress::Running { after: Some(_), .. }
        ));
        assert!(matches!(of_location(&response(200, &[])), Progress::Done));
        assert!(matches!(of_location(&response(204, &[])), Progress::Done));
    }
}
