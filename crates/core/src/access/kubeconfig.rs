//! A kubeconfig as kubectl reads it, typed and written as YAML. The `exec` form holds no secret.
//!
//! Source: <https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pmks_driver::{ClusterCredential, ExecCommand, KubeconfigUser};
use pmks_model::AccessInfo;
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::failure::unexpected;
use crate::{ExecPlugin, Result};

/// The version of client authentication that `pmks token` speaks.
pub(crate) const CLIENT_AUTHENTICATION: &str = "client.authentication.k8s.io/v1";

/// A whole file with one cluster, one user and one context.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Kubeconfig {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    clusters: [NamedCluster; 1],
    users: [NamedUser; 1],
    contexts: [NamedContext; 1],
    current_context: String,
}

#[derive(Debug, Serialize)]
struct NamedCluster {
    name: String,
    cluster: Cluster,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_authority_data: Option<String>,
}

#[derive(Debug, Serialize)]
struct NamedUser {
    name: String,
    user: User,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_certificate_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_key_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exec: Option<Exec>,
}

/// A static user holds a secret.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("exec", &self.exec).finish_non_exhaustive()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Exec {
    api_version: String,
    command: String,
    args: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<Variable>,
    interactive_mode: &'static str,
    provide_cluster_info: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    install_hint: String,
}

#[derive(Debug, Serialize)]
struct Variable {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct NamedContext {
    name: String,
    context: Context,
}

#[derive(Debug, Serialize)]
struct Context {
    cluster: String,
    user: String,
}

/// What a kubeconfig is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) connection: &'a str,
    pub(crate) cluster: &'a str,
    pub(crate) access: &'a AccessInfo,
}

/// The kubeconfig whose user runs `pmks token`.
pub(crate) fn exec(subject: Subject<'_>, plugin: &ExecPlugin) -> Result<String> {
    let mut args = vec!["token".to_owned()];
    args.extend(flag("--cluster", "--cluster", subject.cluster));
    args.extend(flag("-c", "--connection", subject.connection));
    if let Some(server) = &plugin.server {
        args.extend(["--server".to_owned(), server.clone()]);
    }
    let command = ExecCommand {
        command: plugin.command.clone(),
        args,
        env: Vec::new(),
        install_hint:
            "pmks is needed to reach this cluster; it was at the path of `command` when this file was made"
                .to_owned(),
        api_version: CLIENT_AUTHENTICATION.to_owned(),
        provide_cluster_info: false,
    };
    write(subject, plugin_user(command))
}

/// A flag and its value, in one word where the value by itself would be read as a flag.
fn flag(usual: &str, long: &str, value: &str) -> Vec<String> {
    if value.starts_with('-') {
        vec![format!("{long}={value}")]
    } else {
        vec![usual.to_owned(), value.to_owned()]
    }
}

/// The kubeconfig whose user runs a program of the caller's choice. It holds no secret if the program's arguments hold
/// none.
///
/// # Errors
/// `Unexpected` if it cannot be written.
pub fn kubeconfig_running(
    connection: &str,
    cluster: &str,
    access: &AccessInfo,
    command: ExecCommand,
) -> Result<String> {
    write(Subject { connection, cluster, access }, plugin_user(command))
}

/// The kubeconfig with the user part in the cloud's own form.
pub(crate) fn of_cloud(subject: Subject<'_>, user: KubeconfigUser) -> Result<String> {
    let user = match user {
        KubeconfigUser::Exec(command) => plugin_user(command),
        KubeconfigUser::Static(ClusterCredential::Token { token, .. }) => {
            User { token: Some(token.expose_secret().to_owned()), ..User::default() }
        }
        KubeconfigUser::Static(ClusterCredential::Certificate { certificate, key, .. }) => User {
            client_certificate_data: Some(STANDARD.encode(certificate)),
            client_key_data: Some(STANDARD.encode(key.expose_secret())),
            ..User::default()
        },
    };
    write(subject, user)
}

fn plugin_user(command: ExecCommand) -> User {
    let env = command.env.into_iter().map(|(name, value)| Variable { name, value }).collect();
    let exec = Exec {
        api_version: command.api_version,
        command: command.command,
        args: command.args,
        env,
        // kubectl refuses the plugin if it would have to ask while there is no terminal.
        interactive_mode: "Never",
        provide_cluster_info: command.provide_cluster_info,
        install_hint: command.install_hint,
    };
    User { exec: Some(exec), ..User::default() }
}

fn write(subject: Subject<'_>, user: User) -> Result<String> {
    // Files are merged by these names. None is another cluster's: after the last `@` stands the connection, whole.
    let connection = subject.connection.replace('%', "%25").replace('@', "%40");
    let name = format!("{}@{connection}", subject.cluster);
    let authority = &subject.access.certificate_authority;
    let file = Kubeconfig {
        api_version: "v1",
        kind: "Config",
        clusters: [NamedCluster {
            name: name.clone(),
            cluster: Cluster {
                server: subject.access.endpoint.clone(),
                certificate_authority_data: (!authority.is_empty()).then(|| STANDARD.encode(authority)),
            },
        }],
        users: [NamedUser { name: name.clone(), user }],
        contexts: [NamedContext {
            name: name.clone(),
            context: Context { cluster: name.clone(), user: name.clone() },
        }],
        current_context: name,
    };
    // One line a value: not every reader of kubeconfigs takes folded base64.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(&file, options)
        .map_err(|error| unexpected(format!("a kubeconfig could not be written: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> AccessInfo {
        AccessInfo { endpoint: "https://127.0.0.1:6443".into(), certificate_authority: "PEM ".repeat(300) }
    }

    fn read(text: &str) -> serde_json::Value {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn the_exec_form_runs_pmks_token_and_holds_no_secret() {
        let access = access();
        let subject = Subject { connection: "here", cluster: "yes", access: &access };
        let plugin = ExecPlugin { command: "/opt/pmks".into(), server: Some("http://127.0.0.1:1024".into()) };
        let text = exec(subject, &plugin).unwrap();
        assert!(text.contains(&format!(
            "certificate-authority-data: {}\n",
            STANDARD.encode(&access.certificate_authority)
        )));
        let file = read(&text);
        assert_eq!(file["current-context"], "yes@here");
        assert_eq!(
            file["contexts"][0]["context"],
            serde_json::json!({"cluster": "yes@here", "user": "yes@here"})
        );
        assert_eq!(
            file["clusters"][0]["cluster"]["certificate-authority-data"],
            STANDARD.encode("PEM ".repeat(300))
        );
        let user = &file["users"][0]["user"];
        assert_eq!(user.as_object().unwrap().keys().collect::<Vec<_>>(), ["exec"]);
        assert_eq!(user["exec"]["command"], "/opt/pmks");
        assert_eq!(user["exec"]["apiVersion"], CLIENT_AUTHENTICATION);
        assert_eq!(
            user["exec"]["args"],
            serde_json::json!([
                "token",
                "--cluster",
                "yes",
                "-c",
                "here",
                "--server",
                "http://127.0.0.1:1024"
            ])
        );
    }

    #[test]
    fn no_two_clusters_have_one_name_in_a_merged_file() {
        let access = access();
        let named = |cluster: &str, connection: &str| {
            let plugin = ExecPlugin { command: "/pmks".into(), server: None };
            let file = read(&exec(Subject { connection, cluster, access: &access }, &plugin).unwrap());
            let name = file["current-context"].as_str().unwrap().to_owned();
            for kind in ["clusters", "users", "contexts"] {
                assert_eq!(file[kind][0]["name"], *name);
            }
            name
        };
        let all = [
            ("a", "c"),
            ("a", "d"),
            ("b", "c"),
            ("a@b", "c"),
            ("a@c", "c"),
            ("a", "b-c"),
            ("a", "b@c"),
            ("a", "b%40c"),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().map(|(k, c)| named(k, c)).collect();
        assert_eq!(distinct.len(), all.len(), "{distinct:?}");
    }

    #[test]
    fn a_name_that_looks_like_a_flag_is_the_value_of_one() {
        let access = access();
        let subject = Subject { connection: "--help", cluster: "-x", access: &access };
        let file = read(&exec(subject, &ExecPlugin { command: "/pmks".into(), server: None }).unwrap());
        let args = &file["users"][0]["user"]["exec"]["args"];
        assert_eq!(*args, serde_json::json!(["token", "--cluster=-x", "--connection=--help"]));
    }

    #[test]
    fn texts_that_look_like_other_types_stay_texts() {
        let access = access();
        for cluster in ["1.30", "true", "null", "0x10", "a: b", "'", "~"] {
            let subject = Subject { connection: "1", cluster, access: &access };
            let plugin = ExecPlugin { command: "/pmks".into(), server: None };
            let file = read(&exec(subject, &plugin).unwrap());
            assert_eq!(file["users"][0]["user"]["exec"]["args"][2], cluster);
            assert_eq!(file["users"][0]["user"]["exec"]["args"][4], "1");
        }
    }

    #[test]
    fn a_plugin_of_the_cloud_is_written_as_the_driver_says() {
        let access = access();
        let subject = Subject { connection: "c", cluster: "k", access: &access };
        let command = ExecCommand {
            command: "plugin".into(),
            args: Vec::new(),
            env: vec![("A".into(), "b".into())],
            install_hint: "install it".into(),
            api_version: "client.authentication.k8s.io/v1beta1".into(),
            provide_cluster_info: true,
        };
        let file = read(&of_cloud(subject, KubeconfigUser::Exec(command)).unwrap());
        let exec = &file["users"][0]["user"]["exec"];
        assert_eq!(exec["provideClusterInfo"], true);
        assert_eq!(exec["env"], serde_json::json!([{"name": "A", "value": "b"}]));
        assert_eq!(exec["installHint"], "install it");
    }

    #[test]
    fn the_static_form_holds_the_certificate() {
        let access = AccessInfo { certificate_authority: String::new(), ..access() };
        let subject = Subject { connection: "c", cluster: "k", access: &access };
        let credential = ClusterCredential::Certificate {
            certificate: "CERT".into(),
            key: "KEY".into(),
            expires_at: "2027-01-01T00:00:00Z".parse().unwrap(),
        };
        let file = read(&of_cloud(subject, KubeconfigUser::Static(credential)).unwrap());
        assert_eq!(file["users"][0]["user"]["client-key-data"], STANDARD.encode("KEY"));
        assert!(file["clusters"][0]["cluster"].get("certificate-authority-data").is_none());
    }
}
