//! Who acts, and how a client gets in at a cluster: tokens, kubeconfigs, access entries.
//! Makes no access entry: `operations/grant_access.rs` does.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use pmks_driver::{
    AccountIdentity, ClusterCredential, DriverError, ErrorKind, ExecCommand, KubeconfigFormat,
    KubeconfigUser, Prerequisite, PrerequisiteState, Result,
};
use pmks_model::Cluster;
use secrecy::SecretString;

use crate::clusters::is_unsupported;
use crate::credential::presign;
use crate::endpoints::Partition;
use crate::{AwsDriver, PROVIDER};

/// What a token begins with.
const TOKEN_PREFIX: &str = "k8s-aws-v1.";
/// The header that binds a token to one cluster.
const CLUSTER_HEADER: &str = "x-k8s-aws-id";
/// What the presigned URL says of its lifetime; EKS itself accepts it for 15 minutes.
///
/// Source: <https://github.com/aws/aws-cli/blob/develop/awscli/customizations/eks/get_token.py>
const URL_LIFETIME: Duration = Duration::from_mins(1);
/// When clients shall ask for another one: a minute before EKS refuses it, as AWS' own client says.
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(14);

/// Who the credential acts for: partition and account, and the user or role.
///
/// # Errors
/// `Unexpected` where STS names no account: twelve digits.
///
/// Source: <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html>
pub(crate) async fn account_identity(driver: &AwsDriver) -> Result<AccountIdentity> {
    let caller = driver.api.get_caller_identity().await?;
    if caller.account.len() != 12 || !caller.account.bytes().all(|digit| digit.is_ascii_digit()) {
        let says = "STS does not say which account this is";
        let error = DriverError::new(ErrorKind::Unexpected, PROVIDER, says);
        return Err(error.with_action("sts.GetCallerIdentity"));
    }
    driver.api.learn_account(&caller.account);
    let partition = caller.arn.split(':').nth(1).unwrap_or("aws");
    Ok(AccountIdentity {
        account: format!("{partition}:{}", caller.account),
        principal: principal_of(&caller.arn),
    })
}

/// The user or role behind a caller: a role's session `arn:aws:sts::1:assumed-role/name/session` is the role
/// `arn:aws:iam::1:role/name`, whose path, if it has one, the session does not tell.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html>
fn principal_of(arn: &str) -> String {
    session_role(arn).map_or_else(
        || arn.to_owned(),
        |role| {
            let mut parts = arn.split(':').skip(1);
            let partition = parts.next().unwrap_or("aws");
            let account = parts.nth(2).unwrap_or_default();
            format!("arn:{partition}:iam::{account}:role/{role}")
        },
    )
}

/// The name of the role whose session an ARN names.
fn session_role(arn: &str) -> Option<&str> {
    let (_, rest) = arn.split_once(":assumed-role/")?;
    rest.split('/').next()
}

/// The principal as access entries name it: a role with its path, which only IAM tells.
pub(crate) async fn principal(driver: &AwsDriver) -> Result<String> {
    let caller = driver.api.get_caller_identity().await?;
    let Some(role) = session_role(&caller.arn) else { return Ok(caller.arn) };
    // Without the right to read the role, the ARN without a path is right for most.
    let read = driver.api.get_role(role).await;
    Ok(read.map_or_else(|_| principal_of(&caller.arn), |role| role.arn))
}

/// The policy that makes a principal the cluster's administrator.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html>
pub(crate) fn admin_policy(partition: Partition) -> String {
    format!("arn:{}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", partition.name)
}

/// Whether the credential's principal may enter the cluster: always, where its creation was ours; never by itself,
/// where somebody else made it, or where the principal has changed since.
pub(crate) async fn prerequisite(driver: &AwsDriver, cluster: &Cluster) -> Result<Prerequisite> {
    let name = cluster.iid.system_id.as_str();
    let principal = principal(driver).await?;
    let of = |state, fix: Option<String>| Prerequisite {
        name: "clusterAccess".to_owned(),
        says: format!("an access entry of cluster {name} that makes {principal} its administrator"),
        state,
        fix,
    };
    if cluster.key_value_list.get("AuthenticationMode") == Some("CONFIG_MAP") {
        let why =
            "the cluster knows its users by the ConfigMap aws-auth alone; switch its authentication mode to \
                   API_AND_CONFIG_MAP"
                .to_owned();
        return Ok(of(PrerequisiteState::Unknown { why }, None));
    }
    let fix = || Some(format!("make the access entry of {principal} with AmazonEKSClusterAdminPolicy"));
    let entry = match driver.api.describe_access_entry(name, &principal).await {
        Ok(entry) => entry,
        Err(error) if error.is_not_found() => {
            let what = vec![format!("{principal} has no access entry")];
            return Ok(of(PrerequisiteState::Missing { what }, fix()));
        }
        Err(error) if is_unsupported(&error) || matches!(error.kind(), ErrorKind::Forbidden { .. }) => {
            return Ok(of(PrerequisiteState::Unknown { why: error.to_string() }, None));
        }
        Err(error) => return Err(error),
    };
    let policies = driver.api.list_access_policies(name, &principal).await?;
    let admin = admin_policy(driver.api.endpoints().partition());
    let is_admin = policies.associated_access_policies.iter().any(|policy| {
        let everywhere = policy.access_scope.as_ref().is_some_and(|scope| scope.kind == "cluster");
        policy.policy_arn == admin && everywhere
    });
    if is_admin {
        return Ok(of(PrerequisiteState::Satisfied { by: entry.principal_arn }, None));
    }
    if !entry.kubernetes_groups.is_empty() {
        let why = format!("its rights come from the groups {}", entry.kubernetes_groups.join(", "));
        return Ok(of(PrerequisiteState::Unknown { why }, fix()));
    }
    let what = vec![format!(
        "the access entry of {principal} lacks AmazonEKSClusterAdminPolicy for the whole cluster"
    )];
    Ok(of(PrerequisiteState::Missing { what }, fix()))
}

/// The user of a kubeconfig who runs AWS' own client.
///
/// # Errors
/// `Unsupported` for a credential in the file: EKS has none that lasts.
pub(crate) fn kubeconfig(
    driver: &AwsDriver,
    cluster: &Cluster,
    format: KubeconfigFormat,
) -> Result<KubeconfigUser> {
    if format != KubeconfigFormat::Native {
        return Err(DriverError::unsupported(PROVIDER, "kubeconfig that holds a lasting credential"));
    }
    let endpoints = driver.api.endpoints();
    let args = [
        "--region",
        driver.region(),
        "eks",
        "get-token",
        "--cluster-name",
        &cluster.iid.system_id,
        "--output",
        "json",
    ];
    let replaced = endpoints.replaced("sts").map(|url| ("AWS_ENDPOINT_URL_STS".to_owned(), url.to_string()));
    Ok(KubeconfigUser::Exec(ExecCommand {
        command: "aws".to_owned(),
        args: args.map(str::to_owned).to_vec(),
        env: replaced.into_iter().collect(),
        install_hint: "install the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
            .to_owned(),
        api_version: "client.authentication.k8s.io/v1beta1".to_owned(),
        provide_cluster_info: false,
    }))
}

/// A bearer token as the EKS authenticator expects it: a presigned `GetCallerIdentity` bound to the cluster's name.
/// Makes no call.
///
/// Source: <https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster>
pub(crate) async fn token(driver: &AwsDriver, cluster: &Cluster) -> Result<ClusterCredential> {
    let now = driver.now();
    let unsigned = |error: pmks_transport::SignError| {
        let kind = if error.temporary { ErrorKind::Unavailable } else { ErrorKind::Unauthenticated };
        DriverError::new(kind, PROVIDER, error.to_string()).caused_by(error)
    };
    let keys = driver.here.keys.keys(now).await.map_err(unsigned)?;
    let endpoints = driver.api.endpoints();
    let base = endpoints
        .of("sts")
        .cloned()
        .ok_or_else(|| DriverError::new(ErrorKind::Unexpected, PROVIDER, "no endpoint of sts is known"))?;
    let url = format!("{}?Action=GetCallerIdentity&Version=2011-06-15", base.as_str());
    let headers = [(CLUSTER_HEADER, cluster.iid.system_id.as_str())];
    let signed = presign(&url, &headers, &keys, endpoints.signing_region("sts"), now, URL_LIFETIME)
        .map_err(unsigned)?;
    let token = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(signed));
    let expires_at = now.checked_add(TOKEN_LIFETIME).unwrap_or(now);
    let expires_at = keys
        .expiry()
        .and_then(|end| Timestamp::try_from(end).ok())
        .map_or(expires_at, |end| end.min(expires_at));
    Ok(ClusterCredential::Token { token: SecretString::from(token), expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_its_role() {
        for (arn, principal) in [
            ("arn:aws:iam::1:user/dev/ann", "arn:aws:iam::1:user/dev/ann"),
            ("arn:aws:sts::123456789012:assumed-role/ops/me", "arn:aws:iam::123456789012:role/ops"),
            ("arn:aws-cn:sts::1:assumed-role/ops/me", "arn:aws-cn:iam::1:role/ops"),
            ("arn:aws:iam::1:root", "arn:aws:iam::1:root"),
        ] {
            assert_eq!(principal_of(arn), principal);
        }
    }
}
