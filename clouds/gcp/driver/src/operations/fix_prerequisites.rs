//! The plan that makes the project's prerequisites good: the APIs that are off, enabled one after the other.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, ErrorKind, FixPrerequisites, Handle, Look, Poll, Prepared, Result, StageContext,
    StageSpecification,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Maker, Stage};
use crate::prerequisites::SERVICES;
use crate::wire::service_usage::Operation;
use crate::{GcpDriver, PROVIDER, errors};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<EnableService>()];

/// How long an API usually takes to be enabled.
const EXPECTED: Duration = Duration::from_secs(40);

/// Looks at every API, and answers a plan that enables what is off. Two calls.
pub(crate) async fn prepare(driver: &GcpDriver, _asked: &FixPrerequisites) -> Result<Prepared> {
    let mut off = Vec::new();
    for (_, service) in SERVICES {
        if driver.api.get_service(service).await?.state != "ENABLED" {
            off.push(service);
        }
    }
    let prepared = Prepared::of(stages(&off));
    Ok(if off.is_empty() { prepared.notice("nothing is missing") } else { prepared })
}

/// One after the other: Google refuses a second activation while one is in progress.
fn stages(services: &[&str]) -> Vec<StageSpecification> {
    let mut stages: Vec<StageSpecification> = Vec::new();
    for service in services {
        let before: Vec<String> = stages.last().map(|stage| stage.name.clone()).into_iter().collect();
        let stage = EnableService { service: (*service).to_owned() };
        stages.push(stage.specification(*service).after(before).expected(EXPECTED));
    }
    stages
}

/// Lets the project use an API of Google.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnableService {
    service: String,
}

#[async_trait]
impl Stage<GcpDriver> for EnableService {
    const KIND: &'static str = "gcp.service";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let found = driver.api.get_service(&self.service).await?;
        match found.state.as_str() {
            "ENABLED" => Ok(Look::ready(&self.service, &self.service, json!({"service": found.name}))),
            "DISABLED" => Ok(Look::Absent),
            word => {
                let says = format!("Service Usage calls {} {word:?}", self.service);
                Err(DriverError::new(ErrorKind::Unexpected, PROVIDER, says))
            }
        }
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let operation = driver.api.enable_service(&self.service).await?;
        Ok(Asked::following(json!({"operation": operation.name})).with_system_id(&self.service))
    }

    /// Until it is done Service Usage calls the API disabled, as if nobody had asked.
    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        let name = handle.0.get("operation").and_then(Value::as_str).unwrap_or_default();
        // `operations/ID`; what there was nothing to do for has no work that could be asked for.
        let id = name.strip_prefix("operations/").filter(|id| !id.starts_with("noop."));
        let Some(id) = id else { return Ok(Poll::Lost) };
        match driver.api.service_operation(id).await {
            Ok(operation) => Ok(stands(&operation)),
            Err(error) if error.is_not_found() => Ok(Poll::Lost),
            Err(error) => Err(error),
        }
    }
}

fn stands(operation: &Operation) -> Poll {
    match &operation.error {
        Some(error) if operation.done => {
            let word = errors::word_of(error.code);
            Poll::Failed(errors::of_operation("serviceusage.operations.get", word, &error.message))
        }
        None if operation.done => Poll::Done(json!({})),
        _ => Poll::Pending { says: "Google enables it".to_owned(), after: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmks_driver::Plan;

    #[test]
    fn what_google_does_is_followed_to_its_own_error() {
        let stands = |operation: Value| stands(&serde_json::from_value(operation).unwrap());
        assert!(matches!(stands(json!({"name": "operations/a"})), Poll::Pending { .. }));
        assert!(matches!(stands(json!({"name": "operations/a", "done": true})), Poll::Done(_)));
        let refused =
            json!({"name": "operations/a", "done": true, "error": {"code": 9, "message": "billing"}});
        let Poll::Failed(error) = stands(refused) else { panic!("it failed") };
        assert!(error.message().contains("billing"), "{error}");
    }

    #[test]
    fn apis_are_enabled_one_after_the_other() {
        let plan = Plan::of(stages(&["compute.googleapis.com", "container.googleapis.com"]));
        assert_eq!(plan.defect(), None);
        assert_eq!(plan.stages[1].after, ["compute.googleapis.com"]);
        assert!(stages(&[]).is_empty());
    }
}
