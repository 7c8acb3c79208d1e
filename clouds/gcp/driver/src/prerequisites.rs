//! What must be in the project first: a credential that Google accepts, and the APIs of GKE and Compute Engine. Looked
//! at here; enabled by `operations/fix_prerequisites.rs`, on request only.

use pmks_driver::{DriverError, ErrorKind, Prerequisite, PrerequisiteState, Result};

use crate::wire::service_usage::Service;
use crate::{GcpDriver, PROVIDER, errors};

/// GKE's API.
pub(crate) const CONTAINER: &str = "container.googleapis.com";
/// Compute Engine's API.
pub(crate) const COMPUTE: &str = "compute.googleapis.com";
/// The APIs that are needed, by the word of their prerequisite. GKE relies on Compute Engine, which comes first.
pub(crate) const SERVICES: [(&str, &str); 2] = [("computeApi", COMPUTE), ("containerApi", CONTAINER)];

/// What must be there first. Two calls.
pub(crate) async fn of_project(driver: &GcpDriver) -> Result<Vec<Prerequisite>> {
    let looks = SERVICES.map(|(_, service)| driver.api.get_service(service));
    let (mut credential, services) = futures::join!(credential(driver), futures::future::join_all(looks));
    // That there is a token does not show yet that Google takes it.
    let refusal = services.iter().filter_map(|found| found.as_ref().err()).find(|error| is_refusal(error));
    if let (Some(error), PrerequisiteState::Satisfied { .. }) = (refusal, &credential.state) {
        credential.state = refused(error);
    }
    let mut all = vec![credential];
    all.extend(SERVICES.into_iter().zip(services).map(|(named, found)| service(named, found)));
    Ok(all)
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

fn service((name, service): (&str, &str), found: Result<Service>) -> Prerequisite {
    let state = match found {
        Ok(found) => state_of(service, &found.state),
        // Whatever it is: how the API stands could not be looked at.
        Err(error) => PrerequisiteState::Unknown { why: pmks_driver::chain(&error) },
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
    if is_refusal(error) {
        PrerequisiteState::Missing { what: vec![error.to_string()] }
    } else {
        PrerequisiteState::Unknown { why: pmks_driver::chain(error) }
    }
}

fn is_refusal(error: &DriverError) -> bool {
    *error.kind() == ErrorKind::Unauthenticated || errors::is_denied_impersonation(error)
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
