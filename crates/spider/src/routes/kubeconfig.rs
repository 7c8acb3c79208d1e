//! Ways into a cluster: the kubeconfig on its answers, and the token that it fetches.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pmks_core::{ClusterView, ExecPlugin, KubeconfigRequest, exec_credential, kubeconfig_running};
use pmks_driver::{ExecCommand, KubeconfigFormat};
use pmks_model::FailureKind;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;

/// How a kubeconfig lets its user in.
pub(super) enum Form {
    /// By `curl` at this server, with the credential file of CB-Spider's clients.
    Curl,
    /// As the cloud does.
    Cloud(KubeconfigFormat),
}

impl Form {
    pub(super) fn of(call: &Call) -> Result<Self, Refusal> {
        Ok(match call.either("KubeconfigType")?.to_lowercase().as_str() {
            "native" => Self::Cloud(KubeconfigFormat::Native),
            "static" => Self::Cloud(KubeconfigFormat::Static),
            _ => Self::Curl,
        })
    }
}

/// What stands in a part of a URL as it is.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc3986#section-2.3>
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The kubeconfig of a cluster by `curl` at this URL of the server, for who asks by that connection: their token is asked
/// for by the same one, whichever of its account the cluster was made by. Empty while nothing answers there.
pub(super) fn by_curl(server: &str, connection: &str, view: &ClusterView) -> pmks_core::Result<String> {
    if view.access.endpoint.is_empty() {
        return Ok(String::new());
    }
    let command = curl(server, connection, &view.name);
    kubeconfig_running(connection, &view.name, &view.access, command)
}

/// The same in that form.
pub(super) async fn of(
    call: &Call,
    connection: &str,
    view: &ClusterView,
    form: &Form,
) -> Result<String, Refusal> {
    if view.access.endpoint.is_empty() {
        return Ok(String::new());
    }
    if let Form::Cloud(format) = form {
        // What lets in whoever holds it is the own way of a cloud that gives its users no program for it.
        let formats = [*format, KubeconfigFormat::Static];
        let own = if *format == KubeconfigFormat::Native { &formats[..] } else { &formats[..1] };
        for (place, format) in own.iter().enumerate() {
            let exec = ExecPlugin { command: String::new(), server: None };
            let request = KubeconfigRequest { format: *format, exec };
            let clusters = call.pmks().clusters();
            match clusters.kubeconfig(&call.keyless(), connection, &view.name, &request).await {
                // Clients ask it of every cloud; of one that has none they get what works everywhere.
                Err(failure)
                    if matches!(failure.kind, FailureKind::Unsupported | FailureKind::Precondition) => {}
                // It was not asked for by its name.
                Err(failure) if place > 0 && failure.kind == FailureKind::NotAllowed => {}
                made => return Ok(made?),
            }
        }
    }
    Ok(by_curl(&call.server, connection, view)?)
}

/// Runs `curl`; name and password reach it by its input, for others see the arguments of a process.
fn curl(server: &str, connection: &str, cluster: &str) -> ExecCommand {
    let escaped = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
    // Within single quotes of the shell.
    let url = format!(
        "{}/spider/cluster/{}/token?ConnectionName={}",
        server.replace('\'', "%27"),
        escaped(cluster),
        escaped(connection)
    );
    let script = format!(
        ". \"$HOME/.cb-spider/.spider-credential\" && \
         printf 'Authorization: Basic %s' \"$(printf '%s:%s' \"$SPIDER_USERNAME\" \"$SPIDER_PASSWORD\" | base64 | tr -d '\\n')\" | \
         curl -fsS -H @- '{url}'"
    );
    ExecCommand {
        command: "sh".to_owned(),
        args: vec!["-c".to_owned(), script],
        env: Vec::new(),
        install_hint:
            "curl and ~/.cb-spider/.spider-credential (SPIDER_USERNAME, SPIDER_PASSWORD) are needed"
                .to_owned(),
        api_version: "client.authentication.k8s.io/v1".to_owned(),
        provide_cluster_info: false,
    }
}

/// What a client is let in with, for a while; it says until when.
pub(super) async fn token(call: Call) -> Answer {
    let connection = call.connection()?;
    let credential = call.pmks().clusters().token(&call.keyless(), &connection, call.named(0)).await?;
    let whole: Value = serde_json::from_str(exec_credential(&credential).expose_secret()).unwrap_or_default();
    Ok(Reply::Secret(whole))
}
