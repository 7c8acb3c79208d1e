//! What to try next: lines that work as they are in another shell.

use std::path::Path;

use pmks_model::FailureKind;

use super::Standing;
use super::cluster::{CLUSTER, NODE_GROUP};
use super::stand::Stand;
use crate::error::{Error, Result};
use crate::{output, shell};

/// Prints them; after the last cloud's also how the demo ends.
pub(super) fn print(stand: &Stand, standing: &Standing, last: bool) -> Result<()> {
    let Standing { connection, kubeconfig, newest } = standing;
    let program = std::env::current_exe().map_err(|error| {
        Error::new(FailureKind::Unexpected, format!("where pmks lies is not known: {error}"))
    })?;
    let pmks = format!("{} --data-dir {}", quoted(&program), quoted(stand.app.data.path()));
    let kubectl = format!("kubectl --kubeconfig {}", quoted(kubeconfig));
    let token = quoted(&stand.app.data.token_file());
    let url = stand.url().as_str().trim_end_matches('/');
    let by = shell::connection(connection);
    let mut lines = vec![
        String::new(),
        format!("Try next, in another shell ({connection}):"),
        String::new(),
        format!("  {kubectl} get nodes"),
        format!("  {pmks} cluster list"),
        format!("  {pmks} {by} node-group scale {NODE_GROUP} --cluster {CLUSTER} --desired 3"),
        format!("  {pmks} {by} cluster upgrade {CLUSTER} --version {newest}"),
        format!(
            "  curl -s -H \"Authorization: Bearer $(cat {token})\" {url}/v1/connections/{connection}/clusters/{CLUSTER}"
        ),
    ];
    if last {
        lines.push(String::new());
        lines.push("The demo keeps serving. Ctrl-C ends it and removes everything.".to_owned());
    }
    output::data(&lines.join("\n"))
}

/// A path as a shell reads it back.
fn quoted(path: &Path) -> String {
    shell::quoted(&path.display().to_string())
}
