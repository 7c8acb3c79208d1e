//! Ways into a cluster.

use pmks_driver::{ClusterCredential, ErrorKind, KubeconfigFormat, KubeconfigUser, TokenKind};
use secrecy::ExposeSecret;

use crate::ground::{Ground, delete_cluster};
use crate::report::check;
use crate::{Failed, Rig, Verdict};

/// A token is of the kind that the capabilities say, expires, and needs no call but the identity's.
pub(crate) async fn tokens_and_kubeconfigs_are_made_from_the_observation(
    rig: Rig,
) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let cluster = ground.standing_cluster(&rig, "pmks-way-in").await?;
    let capabilities = *rig.driver.capabilities();
    let credential = rig.driver.generate_cluster_token(&cluster).await?;
    let kind = match &credential {
        ClusterCredential::Token { token, .. } => {
            check(token.expose_secret().len() > 20, || "the token is no token".to_owned())?;
            TokenKind::Bearer
        }
        ClusterCredential::Certificate { .. } => TokenKind::ClientCertificate,
    };
    check(capabilities.token == TokenKind::ByCluster || kind == capabilities.token, || {
        format!("{kind:?} instead of {:?}", capabilities.token)
    })?;
    let now = rig.clock.wall();
    check(credential.expires_at() > now, || format!("expired at {}", credential.expires_at()))?;
    for (format, has) in [
        (KubeconfigFormat::Native, capabilities.native_kubeconfig),
        (KubeconfigFormat::Static, capabilities.static_kubeconfig),
    ] {
        match rig.driver.kubeconfig(&cluster, format).await {
            Ok(user) => {
                check(has, || format!("{format:?} is not in the capabilities"))?;
                let right = matches!(
                    (&user, format),
                    (KubeconfigUser::Exec(_), KubeconfigFormat::Native)
                        | (KubeconfigUser::Static(_), KubeconfigFormat::Static)
                );
                check(right, || format!("{format:?} answers another form"))?;
            }
            Err(error) => {
                // A cluster is made for tokens or for certificates, so that one form may not fit this one.
                let other = capabilities.token == TokenKind::ByCluster
                    && matches!(error.kind(), ErrorKind::Precondition { .. });
                let unsupported = matches!(error.kind(), ErrorKind::Unsupported { .. });
                let right = if has { other } else { unsupported };
                check(right, || format!("{format:?}: {:?}: {error}", error.kind()))?;
            }
        }
    }
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// What the drivers were given as secret is in no error; that it is in no record is checked after every case.
pub(crate) async fn no_secret_is_in_any_record(rig: Rig) -> Result<Verdict, Failed> {
    if rig.secrets.is_empty() {
        return Ok(Verdict::Skipped(
            "the machine itself has the credential: no secret of it is known here".to_owned(),
        ));
    }
    let mut texts = Vec::new();
    for driver in [&rig.driver, &rig.stranger] {
        if let Err(error) = driver.get_cluster("pmks-nothing").await {
            texts.push(format!("{error:?} {error} {:?}", error.to_failure()));
        }
        if let Err(error) = driver.account_identity().await {
            texts.push(format!("{error:?} {error} {:?}", error.to_failure()));
        }
    }
    check(!texts.is_empty(), || "nothing failed".to_owned())?;
    for text in &texts {
        check(!rig.secrets.iter().any(|secret| text.contains(secret)), || {
            "a secret is in an error".to_owned()
        })?;
    }
    check(!rig.recorder.exchanges().is_empty(), || "nothing was recorded".to_owned())?;
    Ok(Verdict::Passed)
}
