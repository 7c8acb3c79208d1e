//! Application default credentials: what Google's own clients find on the machine that they run on. The environment is
//! handed over; the files that it names are read here.
//!
//! Source: <https://cloud.google.com/docs/authentication/application-default-credentials>

use std::path::PathBuf;

use pmks_driver::{DriverError, Environment, Result};
use pmks_model::Findings;

use super::{Found, Origin, files};
use crate::PROVIDER;

/// Where a machine of Google's answers what it is.
const METADATA_HOST: &str = "metadata.google.internal";
/// The field that findings about all of this name.
const FIELD: &str = "credential.ambient";

/// The file that `GOOGLE_APPLICATION_CREDENTIALS` names, else the one that gcloud writes, else the machine's own
/// service account. A file that is named and broken is an error, never passed over.
///
/// # Errors
/// `InvalidRequest` naming the file and what is wrong with it.
pub(crate) async fn ambient(environment: &Environment) -> Result<Found> {
    if let Some(path) = environment.get("GOOGLE_APPLICATION_CREDENTIALS") {
        let path = PathBuf::from(path);
        let text = tokio::fs::read_to_string(&path).await;
        let text = text.map_err(|error| refused(&format!("{} cannot be read: {error}", path.display())))?;
        return of_file(&path, &text);
    }
    if let Some(path) = well_known(environment) {
        match tokio::fs::read_to_string(&path).await {
            Ok(text) => return of_file(&path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(refused(&format!("{} cannot be read: {error}", path.display()))),
        }
    }
    let host = environment.get("GCE_METADATA_HOST").unwrap_or(METADATA_HOST).to_owned();
    Ok(Found { origin: Origin::Machine { host }, project: None, quota_project: None })
}

fn of_file(path: &std::path::Path, text: &str) -> Result<Found> {
    files::any(text).map_err(|says| refused(&format!("{} {says}", path.display())))
}

/// Where `gcloud auth application-default login` writes.
fn well_known(environment: &Environment) -> Option<PathBuf> {
    let folder = match environment.get("CLOUDSDK_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(environment.get("HOME")?).join(".config/gcloud"),
    };
    Some(folder.join("application_default_credentials.json"))
}

fn refused(says: &str) -> DriverError {
    let mut findings = Findings::default();
    findings.add(FIELD, says);
    DriverError::invalid(PROVIDER, findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[tokio::test]
    async fn what_is_found_first_is_taken() {
        let folder = std::env::temp_dir().join(format!("pmks-gcp-ambient-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let user =
            r#"{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}"#;
        let well_known = folder.join("application_default_credentials.json");
        let named = folder.join("named.json");
        std::fs::write(&named, user.replace("\"c\"", "\"named\"")).unwrap();
        let (config, file) = (folder.to_str().unwrap(), named.to_str().unwrap());
        let principal = async |pairs: &[(&str, &str)]| {
            ambient(&environment(pairs)).await.map(|found| found.origin.principal())
        };
        assert_eq!(principal(&[("CLOUDSDK_CONFIG", config)]).await.unwrap(), None);
        std::fs::write(&well_known, user).unwrap();
        let gcloud = principal(&[("CLOUDSDK_CONFIG", config)]).await.unwrap();
        assert_eq!(gcloud.as_deref(), Some("a user of the client c"));
        let both = [("CLOUDSDK_CONFIG", config), ("GOOGLE_APPLICATION_CREDENTIALS", file)];
        assert_eq!(principal(&both).await.unwrap().as_deref(), Some("a user of the client named"));
        std::fs::write(&well_known, "{").unwrap();
        let broken = principal(&[("CLOUDSDK_CONFIG", config)]).await.unwrap_err();
        assert!(broken.message().contains("application_default_credentials.json is no JSON"), "{broken}");
        let missing = principal(&[("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/x.json")]).await.unwrap_err();
        assert!(missing.message().contains("/nowhere/x.json cannot be read"), "{missing}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn without_files_the_machine_is_asked() {
        let found = ambient(&environment(&[("GCE_METADATA_HOST", "127.0.0.1:1")])).await.unwrap();
        assert!(matches!(found.origin, Origin::Machine { host } if host == "127.0.0.1:1"));
    }
}
