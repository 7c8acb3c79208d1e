//! Who acts, and how a client gets in at a cluster: tokens and kubeconfigs.

use std::sync::atomic::Ordering;

use pmks_driver::{
    AccountIdentity, ClusterCredential, DriverError, ErrorKind, ExecCommand, KubeconfigFormat,
    KubeconfigUser, Result,
};
use pmks_model::Findings;

use crate::names::last;
use crate::prerequisites::CONTAINER;
use crate::{GcpDriver, PROVIDER};

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// Who the credential acts for: the project, by the number that never changes and by its id. One call, where the
/// machine's own service account acts one of its metadata server, and the first time one for the place.
///
/// # Errors
/// `InvalidRequest` where Google has no such region or zone.
pub(crate) async fn account_identity(driver: &GcpDriver) -> Result<AccountIdentity> {
    let (service, principal) =
        futures::try_join!(driver.api.get_service(CONTAINER), driver.here.tokens.principal())?;
    check_place(driver).await?;
    // `projects/NUMBER`, also at the beginning of the service's own name.
    let parent = if service.parent.is_empty() {
        service.name.split("/services/").next()
    } else {
        Some(&*service.parent)
    };
    let number = parent.map(last).filter(|number| is_number(number)).ok_or_else(|| {
        let says = "Service Usage does not say which project this is";
        DriverError::new(ErrorKind::Unexpected, PROVIDER, says).with_action("serviceusage.services.get")
    })?;
    Ok(AccountIdentity { account: format!("{number}/{}", driver.api.project()), principal })
}

/// Whether Google has the connection's region and zone: asked until it has said so once. Where it cannot be asked, as
/// while Compute Engine's API is off, whoever needs the region will be told.
async fn check_place(driver: &GcpDriver) -> Result<()> {
    if driver.here.place_is_known.load(Ordering::Relaxed) {
        return Ok(());
    }
    let region = driver.region();
    let mut findings = Findings::default();
    match driver.api.get_region(region).await {
        Ok(found) => {
            let zones: Vec<&str> = found.zones.iter().map(|url| last(url)).collect();
            if let Some(zone) = driver.here.zone.as_deref().filter(|zone| !zones.contains(zone)) {
                findings.add("zone", format!("{zone:?} is no zone of {region}; it has {}", zones.join(", ")));
            } else {
                driver.here.place_is_known.store(true, Ordering::Relaxed);
            }
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidRequest(_)) => {
            findings.add("region", format!("{region:?} is no region that this project can use"));
        }
        Err(_) => {}
    }
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))
}

/// The user of a kubeconfig who runs Google's own plugin.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl>
///
/// # Errors
/// `Unsupported` for a credential in the file: GKE has none that lasts.
pub(crate) fn kubeconfig(format: KubeconfigFormat) -> Result<KubeconfigUser> {
    if format != KubeconfigFormat::Native {
        return Err(DriverError::unsupported(PROVIDER, "kubeconfig that holds a lasting credential"));
    }
    Ok(KubeconfigUser::Exec(ExecCommand {
        command: "gke-gcloud-auth-plugin".to_owned(),
        args: Vec::new(),
        env: Vec::new(),
        install_hint: "install gke-gcloud-auth-plugin: \
                       https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin"
            .to_owned(),
        api_version: "client.authentication.k8s.io/v1beta1".to_owned(),
        provide_cluster_info: true,
    }))
}

/// The access token, which lets in at every cluster of the project that the credential may enter.
pub(crate) async fn token(driver: &GcpDriver) -> Result<ClusterCredential> {
    let kept = driver.here.tokens.at(driver.now()).await?;
    Ok(ClusterCredential::Token { token: kept.token, expires_at: kept.end })
}
