//! One run on all three simulated clouds that uses every kind of secret there is, does what goes well and what does not,
//! and asks in every way for everything. No secret is in anything that came out, but where it must be.

mod ask;
mod environment;
mod mistakes;
mod run;
mod search;
mod tap;
mod work;

use std::collections::BTreeSet;

use run::Run;
use search::Found;

/// Where a secret must be: where it comes out, what it is, and why. Each is found in every run: the search can fail.
const LEGITIMATE: &[(&str, &str, &str)] = &[
    ("file given/", "a credential of a cloud", "what the user gave to pmks"),
    ("file given/", "a secret that is wrong", "what the user gave to pmks"),
    ("file given/", "an API token", "what the user gave to pmks"),
    ("file other/given/", "the private key of the server", "what the operator gave to pmks"),
    ("file other/given/", "an ambient credential", "where AWS' own tools keep it"),
    ("file .local/share/pmks/token", "the local token", "by this file commands find their server's token"),
    ("file .config/pmks/master-key", "a master key", "the one place of the key that seals"),
    ("file .config/pmks/logins.json", "an API token", "`pmks login` keeps it"),
    ("stdout api-token create", "an API token", "the one answer that has it"),
    ("http POST /v1/apiTokens", "an API token", "the one answer that has it"),
    (
        "stdout key-pair create",
        "a private key of a key pair",
        "the one answer that has it, where no file is named",
    ),
    ("file saved-", "a private key of a key pair", "the file that the user named"),
    (
        "http POST /v1/connections/{connection}/keyPairs",
        "a private key of a key pair",
        "the one answer that has it",
    ),
    ("stdout token", "a credential of a cluster", "kubectl's credential plugin"),
    (
        "http POST /v1/connections/{connection}/clusters/{cluster}/token",
        "a credential of a cluster",
        "the same",
    ),
    ("file kubeconfig-static", "a credential of a cluster", "the file that the user named"),
];

/// Where a secret may be besides, which not every run shows.
const ALSO: &[(&str, &str, &str)] = &[
    (
        "command lines",
        "a secret that is wrong",
        "what the user typed there: it is refused, and cannot be taken back",
    ),
    ("stdout token", "a token of a cloud", "Google's clusters take the cloud's own token"),
    (
        "http POST /v1/connections/{connection}/clusters/{cluster}/token",
        "a token of a cloud",
        "Google's clusters take the cloud's own token",
    ),
    ("stdout cluster kubeconfig clu --format static", "a credential of a cluster", "the user asked for it"),
    (
        "http GET /v1/connections/{connection}/clusters/{cluster}/kubeconfig?format=static",
        "a credential of a cluster",
        "the user asked for it",
    ),
];

#[test]
fn no_secret_of_a_run_is_where_it_need_not_be() {
    let run = Run::new();
    let (evidence, secrets) = run.to_the_end();

    let kinds: BTreeSet<&str> = secrets.iter().map(|(kind, _)| *kind).collect();
    for kind in [
        "a credential of a cloud",
        "a secret that is wrong",
        "a token of a cloud",
        "a signature",
        "a signed assertion",
        "a credential of a cluster",
        "a private key of a key pair",
        "a master key",
        "the local token",
        "an API token",
        "the administrator's password",
        "the private key of the server",
        "a master key of the environment",
        "an ambient credential",
    ] {
        assert!(kinds.contains(kind), "{kind} was not used: {kinds:?}");
    }
    for (begins, least) in [
        ("stdout ", 150),
        ("stderr ", 150),
        ("http ", 60),
        ("file .local/share/pmks/pmks.db", 1),
        ("file records/", 100),
        ("file serve.log", 1),
        ("file other/serve.log", 1),
        ("file other/records/", 10),
        ("file other/.local/share/pmks/pmks.db", 1),
        ("backup ", 2),
        ("events ", 2),
        ("collector", 1),
        ("command lines", 1),
    ] {
        assert!(evidence.count(begins) >= least, "{begins}: {} of {least}", evidence.count(begins));
    }

    let found = evidence.find(&secrets);
    let allows =
        |found: &Found, row: &(&str, &str, &str)| found.place.starts_with(row.0) && found.kind == row.1;
    for row in LEGITIMATE {
        assert!(found.iter().any(|found| allows(found, row)), "{row:?} was not found: {found:#?}");
    }
    let astray: Vec<&Found> =
        found.iter().filter(|found| !LEGITIMATE.iter().chain(ALSO).any(|row| allows(found, row))).collect();
    assert!(astray.is_empty(), "{astray:#?}");
    run.holders_are_private(&found);
}
