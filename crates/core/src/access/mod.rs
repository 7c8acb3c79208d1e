//! How users reach a cluster's Kubernetes API: kubeconfigs, and the credentials that `pmks token` prints.

mod exec_credential;
pub(crate) mod kubeconfig;

use pmks_driver::KubeconfigFormat;

pub use exec_credential::exec_credential;
pub use kubeconfig::kubeconfig_running;

/// How a kubeconfig calls `pmks token`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecPlugin {
    /// The absolute path of the binary on the user's machine.
    pub command: String,
    /// The server that it is to ask; `None`: the local data directory.
    pub server: Option<String>,
}

/// Which kubeconfig is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeconfigRequest {
    /// How its user is let in.
    pub format: KubeconfigFormat,
    /// What the `exec` form runs.
    pub exec: ExecPlugin,
}
