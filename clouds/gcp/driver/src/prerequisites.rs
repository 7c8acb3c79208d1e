//! What must be in the project first: a credential that Google accepts, and the APIs of GKE and Compute Engine. Looked
//! at here; enabled by `operations/fix_prerequisites.rs`, on request only.

use pmks_driver::{DriverError, ErrorKind, Prerequisite, PrerequisiteState, Result};

use crate::{GcpDriver, PROVIDER, errors};

/// GKE's API.
pub(crate) const CONTAINER: &str = "container.googleapis.com";
/// Compute Engine's API.
pub(crate) const COMPUTE: &str = "compute.googleapis.com";
/// The APIs that are needed, by the word of their prerequisite. GKE relies on Compute Engine, which comes first.
pub(crate) const SERVICES: [(&str, &str); 2] = [("computeApi", COMPUTE), ("containerApi", CONTAINER)];

/// What must be there first. Two calls.
pub(crate) async fn of_project(driver: &GcpDriver) -> Result<Vec<Prerequisite>> {
    let (credential, (compute, container)) = futures::join!(credential(driver), async {
        futures::join!(service(driver, SERVICES[0]), service(driver, SERVICES[1]))
    });
    Ok(vec![credential, compute, container])
}

async fn credential(driver: &GcpDriver) -> Prerequisite {
    let found = async {
        driver.here.tokens.at(driver.now()).await?;
        driver.here.tokens.principal().await
    };
    let state = match found.await {
        Ok(principal) => PrerequisiteState::Satisfied { by: principal },
        Err(error) => refused(&error),
    };
    Prerequisite {
        name: "credential".to_owned(),
        says: "a credential that Google accepts".to_owned(),
        state,
        fix: None,
    }
}

async fn service(driver: &GcpDriver, (name, service): (&str, &str)) -> Prerequisite {
    let state = match driver.api.get_service(service).await {
        Ok(found) => state_of(service, &found.state),
        Err(error) => refused(&error),
    };
    let missing = matches!(state, PrerequisiteState::Missing { .. });
    Prerequisite {
        name: name.to_owned(),
        says: format!("the API {service}, enabled in the project"),
        state,
        fix: missing.then(|| format!("enable {service}")),
    }
}

fn state_of(service: &str, word: &str) -> PrerequisiteState {
    match word {
        "ENABLED" => PrerequisiteState::Satisfied { by: service.to_owned() },
        "DISABLED" => PrerequisiteState::Missing { what: vec![format!("{service} is not enabled")] },
        word => PrerequisiteState::Unknown { why: format!("Service Usage calls it {word}") },
    }
}

/// A refusal of the credential is something missing; anything else is not known.
fn refused(error: &DriverError) -> PrerequisiteState {
    match error.kind() {
        ErrorKind::Unauthenticated => PrerequisiteState::Missing { what: vec![error.to_string()] },
        _ => PrerequisiteState::Unknown { why: pmks_driver::chain(error) },
    }
}

/// The APIs that a creation needs, or the error that names those which are off. Where Service Usage may not be asked,
/// the APIs themselves will say.
///
/// # Errors
/// `PrerequisiteMissing`, `Unauthenticated`.
pub(crate) async fn check(driver: &GcpDriver, services: &[&str]) -> Result<()> {
    let asked =
        services.iter().map(|service| async move { (*service, driver.api.get_service(service).await) });
    for (service, found) in futures::future::join_all(asked).await {
        match found {
            Ok(found) if found.state == "DISABLED" => {
                let kind = errors::api_disabled(service);
                let what = format!("{service} is not enabled in the project {}", driver.api.project());
                return Err(DriverError::new(kind, PROVIDER, what));
            }
            Ok(_) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Forbidden { .. } | ErrorKind::PrerequisiteMissing { .. }
                ) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_on_off_or_not_known() {
        assert!(matches!(state_of(CONTAINER, "ENABLED"), PrerequisiteState::Satisfied { .. }));
        assert!(matches!(state_of(CONTAINER, "DISABLED"), PrerequisiteState::Missing { .. }));
        assert!(matches!(state_of(CONTAINER, "STATE_UNSPECIFIED"), PrerequisiteState::Unknown { .. }));
    }
}
