//! What CB-Spider's `spctl` does that has no route here: disks, balancers, databases, machines that are no nodes. Scripts
//! that call it are told that it is not supported, and not that they are misspelt.
//!
//! Source: `operationId` of the operations in CB-Spider's `api/swagger.json`, commit 6459f464,
//! <https://github.com/cloud-barista/cb-spider/blob/master/api/swagger.json>

use clap::{Arg, ArgAction, Command};

/// Each resource with its verbs.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("all-disk", &["count", "list"]),
    ("all-disk-info", &["list"]),
    ("all-myimage", &["count", "list"]),
    ("all-myimage-info", &["list"]),
    ("all-nics", &["count"]),
    ("all-nlb", &["count", "list"]),
    ("all-nlb-info", &["list"]),
    ("all-publicips", &["count"]),
    ("all-rdbms", &["count", "list"]),
    ("all-rdbms-info", &["list"]),
    ("all-s3-bucket", &["count", "list"]),
    ("all-s3-bucket-info", &["list"]),
    ("call", &["any"]),
    ("csp-disk", &["delete"]),
    ("csp-myimage", &["delete"]),
    ("csp-nlb", &["delete"]),
    ("csp-rdbms", &["delete"]),
    ("csp-s3-bucket", &["delete"]),
    ("csp-vm", &["terminate"]),
    ("db-spec", &["get", "list"]),
    ("disk", &["attach", "create", "delete", "detach", "get", "list", "register", "unregister"]),
    ("disk-by-connection", &["count"]),
    ("disk-size", &["increase"]),
    ("driver", &["upload"]),
    ("favorite-imagespec", &["add", "delete", "list"]),
    ("filesystem", &["create"]),
    ("import-favorite-imagespec", &["bulk"]),
    ("import-recent-imagespec", &["bulk"]),
    ("mcinsight-vmimage", &["proxy"]),
    ("mcinsight-vmimage-filters", &["proxy"]),
    ("mcinsight-vmprice", &["proxy"]),
    ("mcinsight-vmprice-filters", &["proxy"]),
    ("mcinsight-vmspec", &["proxy"]),
    ("mcinsight-vmspec-filters", &["proxy"]),
    ("myimage", &["create", "delete", "get", "list", "register", "unregister"]),
    ("myimage-by-connection", &["count"]),
    ("nic", &["attach", "create", "delete", "detach", "get", "list", "register", "unregister"]),
    ("nic-by-connection", &["count"]),
    ("nic-osconfigscript", &["get"]),
    ("nic-privateip", &["add", "remove"]),
    ("nlb", &["create", "delete", "get", "list", "register", "unregister"]),
    ("nlb-by-connection", &["count"]),
    ("nlb-owner-vpc", &["get"]),
    ("nlb-vm", &["add", "remove"]),
    ("org-db-spec", &["get", "list"]),
    ("product-family", &["list"]),
    ("publicip", &["associate", "create", "delete", "disassociate", "get", "list", "register", "unregister"]),
    ("publicip-by-connection", &["count"]),
    ("quota-info", &["get"]),
    ("quota-service-type", &["list"]),
    ("rdbms", &["create", "delete", "get", "list", "register", "unregister"]),
    ("rdbms-by-connection", &["count"]),
    ("rdbms-database", &["create", "delete"]),
    ("rdbms-databases", &["list"]),
    ("rdbms-engine", &["list"]),
    ("rdbms-metainfo", &["get"]),
    ("rdbms-owner-vpc", &["get"]),
    ("recent-imagespec", &["delete", "list"]),
    ("s3-bucket", &["create", "delete", "register", "unregister"]),
    ("s3-bucket-get", &["get"]),
    ("s3-bucket-head", &["get"]),
    ("s3-bucket-usage", &["get"]),
    ("s3-buckets", &["list"]),
    ("s3-by-connection", &["count"]),
    ("s3-object", &["delete", "download"]),
    ("s3-object-from-file", &["put"]),
    ("s3-object-from-form", &["put"]),
    ("s3-object-info", &["get"]),
    ("s3-object-post", &["handle"]),
    ("s3-presigned-upload-url", &["get"]),
    ("s3-presigned-url", &["get"]),
    ("tcp-port", &["check"]),
    ("topology-layout", &["delete", "get", "save"]),
    ("topology-layouts", &["list"]),
    ("udp-port", &["check"]),
    ("vm", &["control", "register", "start", "terminate", "unregister"]),
    ("vm-using-rs", &["get"]),
    ("vmgroup-healthinfo", &["get"]),
    ("vmprice-info", &["get"]),
];

/// Each resource with a command for each of these verbs. Some resources have other verbs that are served.
pub(super) fn commands() -> impl Iterator<Item = (&'static str, Vec<Command>)> {
    OUTSIDE.iter().map(|(resource, verbs)| (*resource, verbs.iter().map(|verb| command(verb)).collect()))
}

/// Takes whatever is said with it, help included: there is none.
fn command(verb: &'static str) -> Command {
    let words = Arg::new("words").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
    Command::new(verb).hide(true).disable_help_flag(true).arg(words.action(ArgAction::Append))
}
