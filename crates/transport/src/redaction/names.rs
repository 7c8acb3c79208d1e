//! Which names promise a secret. One list for every cloud: a name that is secret with one is not shown with another.

use std::collections::BTreeSet;

/// Secret wherever they are part of a name, unless the name says it is about the secret, not the secret itself.
const PARTS: [&str; 8] =
    ["password", "passwd", "passphrase", "secret", "privatekey", "token", "signature", "accountkey"];

/// Secret as a whole name.
const WHOLE: [&str; 36] = [
    "accesskey",
    "adminpass",
    "apikey",
    "assertion",
    "authorization",
    "bearer",
    "clientassertion",
    "clientkey",
    "clientkeydata",
    "cookie",
    "customdata",
    "externalid",
    "jwt",
    "keymaterial",
    "kubeadminconfig",
    "kubeconfig",
    "kubeconfigs",
    "ocpapimsubscriptionkey",
    "pass",
    "proxyauthorization",
    "pwd",
    "rawconfig",
    "samlassertion",
    "samlresponse",
    "setcookie",
    "sharedkey",
    "sig",
    "sshprivatekey",
    "stringdata",
    "subscriptionkey",
    "userdata",
    "xapikey",
    "xauthkey",
    "xmsaccesskey",
    "xncpapigwapikey",
    "xncpiamapikey",
];

/// Tokens that keep one's place in a list or make a request repeatable, and words about tokens.
const HARMLESS: [&str; 12] = [
    "nexttoken",
    "pagetoken",
    "clienttoken",
    "requesttoken",
    "continuationtoken",
    "paginationtoken",
    "idempotencytoken",
    "creationtoken",
    "synctoken",
    "retrytoken",
    "httptokens",
    "skiptoken",
];

/// Endings and beginnings of names that are about a secret: its identifier, its kind, its end, an error over it.
const ABOUT_ENDS: [&str; 15] = [
    "id",
    "arn",
    "name",
    "type",
    "version",
    "method",
    "policy",
    "exception",
    "lifetime",
    "expiry",
    "expiration",
    "expirationtimestamp",
    "uri",
    "url",
    "endpoint",
];
const ABOUT_STARTS: [&str; 4] = ["invalid", "expired", "missing", "unrecognized"];

/// A name without case and punctuation: `X-Amz-Security-Token` is `xamzsecuritytoken`.
pub(super) fn normal(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

/// Whether a name, or any part of a path of names (`Credentials.SecretAccessKey`, `ns:Password`, `user[password]`),
/// promises a secret.
pub(super) fn is_secret(name: &str, extra: &BTreeSet<String>) -> bool {
    extra.contains(&normal(name))
        || name.split(['.', '[', ']', ':', '/']).any(|part| part_is_secret(part, extra))
}

fn part_is_secret(name: &str, extra: &BTreeSet<String>) -> bool {
    let name = normal(name);
    if extra.contains(&name) || WHOLE.contains(&name.as_str()) {
        return true;
    }
    PARTS.iter().any(|part| name.contains(part))
        && !HARMLESS.iter().any(|harmless| name.ends_with(harmless))
        && !ABOUT_ENDS.iter().any(|end| name.ends_with(end))
        && !ABOUT_STARTS.iter().any(|start| name.starts_with(start))
}
