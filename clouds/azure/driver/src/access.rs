//! Who acts, and how a client gets in at a cluster: its endpoint, tokens, certificates, kubeconfigs.
//!
//! A cluster that knows Microsoft Entra takes tokens for the application of AKS' API servers; any other gives a client
//! certificate away. The administrator's certificate of a cluster with Entra is asked for only where a kubeconfig with
//! a lasting credential is wanted by name.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use pmks_driver::{
    AccountIdentity, ClusterCredential, DriverError, ErrorKind, ExecCommand, KubeconfigFormat,
    KubeconfigUser, Result,
};
use pmks_model::{AccessInfo, Cluster, Findings};
use secrecy::SecretString;
use serde::Deserialize;

use crate::arm_id::is_uuid;
use crate::clusters::is_in;
use crate::convert::{ENTRA, LOCAL_ACCOUNTS};
use crate::wire::container_service as wire;
use crate::wire::resources::Location;
use crate::{AzureDriver, PROVIDER, convert};

/// The application of AKS' API servers, the same in every tenant of every cloud.
///
/// Source: <https://learn.microsoft.com/azure/aks/kubelogin-authentication>
const SERVER_APPLICATION: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
/// For how long it is believed how a cluster is reached: its authority changes only when its certificates are rotated.
const WAY_IN_KEPT: SignedDuration = SignedDuration::from_hours(1);

/// Who the credential acts for: tenant and subscription. One call, and the first time one for the place.
///
/// # Errors
/// `InvalidRequest` where the subscription sees no such region, or the region has no such zone; `Unexpected` where
/// subscription or tenant are not said.
pub(crate) async fn account_identity(driver: &AzureDriver) -> Result<AccountIdentity> {
    let found = driver.api.own_subscription().await?;
    if !is_uuid(&found.tenant_id) || !is_uuid(&found.id) {
        let says = "the resource manager does not say which subscription of which tenant this is";
        let error = DriverError::new(ErrorKind::Unexpected, PROVIDER, says);
        return Err(error.with_action("Subscriptions.Get"));
    }
    check_place(driver).await?;
    let account = format!("{}/{}", found.tenant_id, found.id).to_ascii_lowercase();
    Ok(AccountIdentity { account, principal: driver.here.principal.clone() })
}

/// Whether Azure has the connection's region and zone: asked until it has said so once. Where it cannot be asked, whoever
/// needs the region will be told.
async fn check_place(driver: &AzureDriver) -> Result<()> {
    let here = &driver.here;
    if here.place_is_known.load(Ordering::Relaxed) {
        return Ok(());
    }
    let Ok(locations) = driver.api.locations().await else { return Ok(()) };
    let wrong = wrong_place(&locations, driver.region(), here.zone.as_deref());
    wrong.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    here.place_is_known.store(true, Ordering::Relaxed);
    Ok(())
}

fn wrong_place(locations: &[Location], region: &str, zone: Option<&str>) -> Findings {
    let mut findings = Findings::default();
    let Some(found) = locations.iter().find(|one| is_in(&one.name, region)) else {
        findings.add("region", format!("{region:?} is no region that this subscription sees"));
        return findings;
    };
    let zones: Vec<&str> =
        found.availability_zone_mappings.iter().map(|zone| zone.logical_zone.as_str()).collect();
    match zone {
        Some(zone) if zones.is_empty() => {
            findings.add("zone", format!("{region} has no zones: leave {zone:?} out"));
        }
        Some(zone) if !zones.contains(&zone) => {
            findings.add("zone", format!("{zone:?} is no zone of {region}; it has {}", zones.join(", ")));
        }
        _ => {}
    }
    findings
}

/// How a cluster is reached. Its certificate authority stands in its kubeconfig alone, so that it costs a call, once
/// an hour. A credential that may not read kubeconfigs sees the endpoint, and no authority.
pub(crate) async fn way_in(driver: &AzureDriver, cluster: &wire::ManagedCluster) -> Result<AccessInfo> {
    let incarnation = convert::incarnation(cluster);
    let properties = &cluster.properties;
    let host = properties.fqdn.as_deref().or(properties.private_fqdn.as_deref()).unwrap_or_default();
    if host.is_empty() || matches!(properties.provisioning_state.as_str(), "Creating" | "Deleting") {
        return Ok(AccessInfo::default());
    }
    let now = driver.now();
    if let Some(known) = kept(driver, &incarnation, now) {
        return Ok(known);
    }
    let bare = || AccessInfo { endpoint: format!("https://{host}:443"), ..AccessInfo::default() };
    let id = driver.cluster_id(&cluster.id);
    let credentials = match driver.api.cluster_credentials(&id, false).await {
        Ok(credentials) => credentials,
        Err(error)
            if matches!(error.kind(), ErrorKind::Forbidden { .. } | ErrorKind::Precondition { .. }) =>
        {
            return Ok(bare());
        }
        // Made or removed meanwhile.
        Err(error) if error.is_not_found() => return Ok(bare()),
        Err(error) => return Err(error),
    };
    let entry = read_kubeconfig(&credentials)?.clusters.into_iter().next().unwrap_or_default().cluster;
    let found = AccessInfo {
        endpoint: if entry.server.is_empty() { bare().endpoint } else { entry.server },
        certificate_authority: pem(&entry.certificate_authority_data),
    };
    if let Ok(mut all) = driver.here.ways_in.lock() {
        all.retain(|_, (_, since)| now.duration_since(*since) < WAY_IN_KEPT);
        all.insert(incarnation, (found.clone(), now));
    }
    Ok(found)
}

fn kept(driver: &AzureDriver, incarnation: &str, now: Timestamp) -> Option<AccessInfo> {
    let all = driver.here.ways_in.lock().ok()?;
    let (found, since) = all.get(incarnation).filter(|_| !incarnation.is_empty())?;
    (now.duration_since(*since) < WAY_IN_KEPT).then(|| found.clone())
}

/// The parts of a kubeconfig that are used. No `Debug`: it holds keys.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Kubeconfig {
    clusters: Vec<NamedCluster>,
    users: Vec<NamedUser>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedCluster {
    cluster: ClusterEntry,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct ClusterEntry {
    server: String,
    certificate_authority_data: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedUser {
    user: UserEntry,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct UserEntry {
    client_certificate_data: String,
    client_key_data: String,
}

fn read_kubeconfig(credentials: &wire::Credentials) -> Result<Kubeconfig> {
    let unreadable = || {
        let message = "AKS' kubeconfig cannot be read";
        // Its cause would quote it, and it holds keys.
        DriverError::new(ErrorKind::Unexpected, PROVIDER, message)
            .with_action("ManagedClusters.ListClusterUserCredentials")
    };
    let first = credentials.kubeconfigs.first().ok_or_else(unreadable)?;
    let bytes = STANDARD.decode(first.value.trim()).map_err(|_| unreadable())?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
    serde_saphyr::from_str(&text).map_err(|_| unreadable())
}

/// The text of PEM in base64; empty for anything else.
fn pem(data: &str) -> String {
    STANDARD.decode(data.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn is(cluster: &Cluster, fact: &str) -> bool {
    cluster.key_value_list.get(fact) == Some("true")
}

/// What lets a client in: a token of Entra, or the client certificate of a cluster with accounts of its own. One call
/// at most, for a token that is kept costs none.
pub(crate) async fn token(driver: &AzureDriver, cluster: &Cluster) -> Result<ClusterCredential> {
    if !is(cluster, ENTRA) {
        return certificate(driver, cluster, false).await;
    }
    let scope = format!("{SERVER_APPLICATION}/.default");
    let token = driver.here.tokens.token(&scope, driver.now()).await.map_err(|error| {
        let kind = if error.temporary { ErrorKind::Unavailable } else { ErrorKind::Unauthenticated };
        DriverError::new(kind, PROVIDER, error.to_string()).caused_by(error)
    })?;
    Ok(ClusterCredential::Token { token: token.secret, expires_at: token.end })
}

async fn certificate(driver: &AzureDriver, cluster: &Cluster, of_admin: bool) -> Result<ClusterCredential> {
    let id = driver.cluster_id(&cluster.iid.system_id);
    let credentials = driver.api.cluster_credentials(&id, of_admin).await?;
    let user = read_kubeconfig(&credentials)?.users.into_iter().next().unwrap_or_default().user;
    let (certificate, key) = (pem(&user.client_certificate_data), pem(&user.client_key_data));
    if certificate.is_empty() || key.is_empty() {
        let what = "AKS' kubeconfig of this cluster holds no client certificate".to_owned();
        let fix = "read the cluster again: it may have been given Microsoft Entra meanwhile".to_owned();
        return Err(DriverError::new(ErrorKind::Precondition { what: what.clone(), fix }, PROVIDER, what));
    }
    let expires_at = end_of(&certificate).ok_or_else(|| {
        DriverError::new(ErrorKind::Unexpected, PROVIDER, "AKS' client certificate cannot be read")
    })?;
    Ok(ClusterCredential::Certificate { certificate, key: SecretString::from(key), expires_at })
}

/// When a certificate ends.
fn end_of(certificate: &str) -> Option<Timestamp> {
    let block = x509_parser::pem::Pem::iter_from_buffer(certificate.as_bytes()).next()?.ok()?;
    let parsed = block.parse_x509().ok()?;
    Timestamp::from_second(parsed.validity().not_after.timestamp()).ok()
}

/// The user of a kubeconfig in AKS' own form: Microsoft's plugin for clusters that know Entra; a certificate where a
/// lasting credential is wanted by name.
///
/// # Errors
/// `Precondition` for a form that this cluster has no use for, or has switched off.
pub(crate) async fn kubeconfig(
    driver: &AzureDriver,
    cluster: &Cluster,
    format: KubeconfigFormat,
) -> Result<KubeconfigUser> {
    let refused = |what: &str, fix: &str| {
        let kind = ErrorKind::Precondition { what: what.to_owned(), fix: fix.to_owned() };
        Err(DriverError::new(kind, PROVIDER, what))
    };
    let entra = is(cluster, ENTRA);
    match format {
        KubeconfigFormat::Native if entra => Ok(KubeconfigUser::Exec(kubelogin())),
        KubeconfigFormat::Native => refused(
            "kubelogin is for clusters that know Microsoft Entra, and this one has accounts of its own",
            "take the format exec",
        ),
        KubeconfigFormat::Static if is(cluster, LOCAL_ACCOUNTS) => {
            Ok(KubeconfigUser::Static(certificate(driver, cluster, entra).await?))
        }
        KubeconfigFormat::Static => {
            refused("the local accounts of this cluster are disabled", "take the format exec or native")
        }
        KubeconfigFormat::Exec => Err(DriverError::unsupported(PROVIDER, "kubeconfig of that form")),
    }
}

/// Microsoft's own credential plugin, by the user's own login of the Azure CLI.
///
/// Source: <https://azure.github.io/kubelogin/concepts/login-modes/azurecli.html>
fn kubelogin() -> ExecCommand {
    let args = ["get-token", "--login", "azurecli", "--server-id", SERVER_APPLICATION];
    ExecCommand {
        command: "kubelogin".to_owned(),
        args: args.map(str::to_owned).to_vec(),
        env: Vec::new(),
        install_hint: "install kubelogin (az aks install-cli), and log in by `az login`: \
                       https://azure.github.io/kubelogin/install.html"
            .to_owned(),
        api_version: "client.authentication.k8s.io/v1beta1".to_owned(),
        provide_cluster_info: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(kubeconfig: &str) -> wire::Credentials {
        wire::Credentials { kubeconfigs: vec![wire::Credential { value: STANDARD.encode(kubeconfig) }] }
    }

    #[test]
    fn a_kubeconfig_says_how_a_cluster_is_reached_and_who_gets_in() {
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: web\n  cluster:\n    server: https://web.hcp.koreacentral.azmk8s.io:443\n    \
             certificate-authority-data: {}\nusers:\n- name: u\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\n    \
             token: abc\n",
            STANDARD.encode("CA"),
            STANDARD.encode("CERT"),
            STANDARD.encode("KEY")
        );
        let read = read_kubeconfig(&credentials(&text)).unwrap();
        let entry = &read.clusters.first().unwrap().cluster;
        assert_eq!(entry.server, "https://web.hcp.koreacentral.azmk8s.io:443");
        assert_eq!(pem(&entry.certificate_authority_data), "CA");
        let user = &read.users.first().unwrap().user;
        assert_eq!(
            (pem(&user.client_certificate_data).as_str(), pem(&user.client_key_data).as_str()),
            ("CERT", "KEY")
        );
    }

    #[test]
    fn a_connections_place_is_one_that_azure_has() {
        let locations: Vec<Location> = serde_json::from_value(serde_json::json!([
            {"name": "koreacentral", "availabilityZoneMappings": [{"logicalZone": "1"}, {"logicalZone": "2"}]},
            {"name": "koreasouth"},
        ]))
        .unwrap();
        for (region, zone, expected) in [
            ("koreacentral", Some("2"), ""),
            ("koreasouth", None, ""),
            ("koreacentral", Some("3"), "zone"),
            ("koreasouth", Some("1"), "zone"),
            ("nowhere", Some("1"), "region"),
        ] {
            let findings = wrong_place(&locations, region, zone);
            let fields: Vec<&str> = findings.iter().map(|finding| finding.field.as_str()).collect();
            assert_eq!(fields.join(","), expected, "{region} {zone:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        for wrong in [wire::Credentials::default(), credentials("- hunter2"), credentials("users: hunter2")] {
            let error = read_kubeconfig(&wrong).err().unwrap();
            assert!(!pmks_driver::chain(&error).contains("hunter2"));
        }
    }

    #[test]
    fn a_certificate_tells_its_end() {
        let mut parameters = rcgen::CertificateParams::new(vec!["u".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(2028, 11, 23);
        let key = rcgen::KeyPair::generate().unwrap();
        let made = parameters.self_signed(&key).unwrap();
        assert_eq!(end_of(&made.pem()).unwrap().to_string(), "2028-11-23T00:00:00Z");
        assert_eq!(end_of("CERT"), None);
    }
}
