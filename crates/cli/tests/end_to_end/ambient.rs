//! Ambient connections: what AWS' own chain finds in a user's home and environment, each source by a stand-in on
//! loopback that speaks its real protocol, and judged by the simulated STS, which knows whose keys are used.
//!
//! Nothing may leave the machine: instance metadata is switched off, and whatever is not loopback would go through a
//! proxy that counts who comes.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::digest;
use serde_json::{Value, json};

use crate::sandbox::{Ended, Sandbox, Simulator, all_text, ended};
use crate::stand_in::StandIn;

/// A user at a simulated AWS with a role `ops`, whose requests to anywhere else would be counted.
struct Setting {
    user: Sandbox,
    simulator: Simulator,
    left: Arc<AtomicUsize>,
    proxy: String,
}

/// The exit code of what may work later.
const LATER: i32 = 7;
/// The exit code of what does not work before somebody sets it right.
const WRONG: i32 = 5;

impl Setting {
    fn new() -> Self {
        let user = Sandbox::new();
        let simulator = user.simulate("1000");
        let left = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let counted = Arc::clone(&left);
        std::thread::spawn(move || {
            for _ in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { user, simulator, left, proxy }
    }

    fn offered(&self, at: &str) -> String {
        self.simulator.ready["connection"].pointer(at).and_then(Value::as_str).unwrap().to_owned()
    }

    fn endpoint(&self) -> String {
        self.offered("/endpoints/all")
    }

    /// Makes a role that the offered user may take on, with an external id.
    fn role(&self, external_id: &str) -> String {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }]});
        let made = self.simulator.world.event(&json!({"type": "roleIsMade", "name": "ops", "trust": trust}));
        made["arn"].as_str().unwrap().to_owned()
    }

    /// Keys of that role, as a service of AWS is given them.
    fn session(&self, name: &str) -> Value {
        self.simulator.world.event(&json!({"type": "roleIsTakenOn", "role": "ops", "session": name}))
    }

    fn run(&self, args: &[&str], environment: &[(&str, &str)]) -> Ended {
        let mut command = self.user.command(args);
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"] {
            command.env(name, &self.proxy);
        }
        command.env("NO_PROXY", "127.0.0.1,localhost").envs(environment.iter().copied());
        ended(command)
    }

    /// Makes an ambient connection with that environment.
    fn connect(&self, environment: &[(&str, &str)]) -> Ended {
        let (region, endpoint) = (self.offered("/region"), format!("all={}", self.endpoint()));
        let args = [
            "connection",
            "create",
            "a",
            "--provider",
            "aws",
            "--region",
            &region,
            "--ambient",
            "--endpoint",
            &endpoint,
            "--pace",
            "1000",
        ];
        self.run(&args, environment)
    }

    /// The connection works, acts as that principal, shows none of these secrets, and asked nobody outside.
    fn acts_as(&self, principal: &str, environment: &[(&str, &str)], secrets: &[&str]) {
        let made = self.connect(environment);
        assert_eq!(made.code, Some(0), "{made:?}");
        let args = ["--log", "trace", "--record", "records", "connection", "validate", "a"];
        let validated = self.run(&args, environment);
        assert_eq!(validated.code, Some(0), "{validated:?}");
        let says = format!("{}{}", validated.out, validated.err);
        assert!(says.contains(principal), "{principal}: {says}");
        let files =
            format!("{}{}", all_text(&self.user.path(".local")), all_text(&self.user.path("records")));
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            assert!(!says.contains(secret), "a secret is shown: {says}");
            assert!(!files.contains(secret), "a secret is in a file");
        }
        self.nothing_left();
    }

    /// There is no connection; what is said names these. AWS' crate does not tell a source that refuses from one that
    /// does not answer: both end as what may work later ([`LATER`]). What is set wrongly ends as that ([`WRONG`]).
    fn refused(&self, code: i32, environment: &[(&str, &str)], says: &[&str]) {
        let refused = self.connect(environment);
        assert_eq!(refused.code, Some(code), "{refused:?}");
        assert!(says.iter().all(|part| refused.err.contains(part)), "{says:?}: {}", refused.err);
        self.nothing_left();
    }

    fn nothing_left(&self) {
        assert_eq!(self.left.load(Ordering::SeqCst), 0, "a request was meant for another machine");
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

#[test]
fn a_containers_credentials_are_fetched_with_its_token() {
    let setting = Setting::new();
    setting.role("x");
    let keys = setting.session("task");
    let body = json!({"AccessKeyId": keys["accessKeyId"], "SecretAccessKey": keys["secretAccessKey"],
        "Token": keys["sessionToken"], "Expiration": keys["expiration"]});
    let agent = StandIn::new(move |request| {
        let right = request.starts_with("GET /v2/credentials/7 ")
            && request.contains("authorization: bearer-of-task");
        if right {
            (200, body.to_string())
        } else {
            (401, json!({"code": "NoSuchTask", "message": "no"}).to_string())
        }
    });
    let uri = format!("{}/v2/credentials/7", agent.url);
    let token = setting.user.write("token", "bearer-of-task");
    let secrets = [text(&keys, "secretAccessKey"), text(&keys, "sessionToken"), "bearer-of-task"];
    let full = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str());
    setting.refused(
        LATER,
        &[full, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-another")],
        &["container", "StatusCode(401)"],
    );
    setting.acts_as(
        "assumed-role/ops/task",
        &[full, ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap())],
        &secrets,
    );
    assert!(agent.asked().len() >= 3, "{:?}", agent.asked().len());
}

#[test]
fn a_containers_address_is_its_own_machines_or_nobodys() {
    let setting = Setting::new();
    setting.refused(
        WRONG,
        &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/credentials")],
        &["container", "allowed IP"],
    );
}

/// The cache of single sign-on's command line: a file called by the SHA-1 of the session or the start URL.
fn cache(setting: &Setting, of: &str, token: &Value) {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, of.as_bytes());
    let bytes: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let name = bytes.concat();
    setting.user.write(&format!(".aws/sso/cache/{name}.json"), &token.to_string());
}

/// Single sign-on's portal and its identity centre: they know one token, and refresh another.
fn portal(keys: &Value, account: &str) -> StandIn {
    let expires = jiff_in_an_hour();
    let credentials = json!({"roleCredentials": {"accessKeyId": keys["accessKeyId"],
        "secretAccessKey": keys["secretAccessKey"], "sessionToken": keys["sessionToken"], "expiration": expires}});
    let path = format!("account_id={account}");
    StandIn::new(move |request| {
        if request.starts_with("POST /token ") {
            let right = request.contains("\"refreshToken\":\"refresher\"")
                && request.contains("\"clientSecret\":\"client-secret\"");
            let fresh = json!({"accessToken": "portal-token", "expiresIn": 3600, "refreshToken": "refresher", "tokenType": "Bearer"});
            return if right {
                (200, fresh.to_string())
            } else {
                (400, json!({"error": "invalid_grant"}).to_string())
            };
        }
        let right = request.starts_with("GET /federation/credentials?")
            && request.contains("role_name=ops")
            && request.contains(&path)
            && request.contains("x-amz-sso_bearer_token: portal-token");
        if right {
            (200, credentials.to_string())
        } else {
            (
                401,
                json!({"__type": "UnauthorizedException", "message": "Session token not found or invalid"})
                    .to_string(),
            )
        }
    })
}

/// Milliseconds since 1970, an hour from now.
fn jiff_in_an_hour() -> i64 {
    timestamp(3600).as_millisecond()
}

#[expect(clippy::disallowed_methods, reason = "a stand-in of a cloud has a date of its own")]
fn timestamp(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds)
}

const ACCOUNT: &str = "111122223333";
const START_URL: &str = "https://corp.awsapps.com/start";

fn sso_profile(setting: &Setting) {
    let config = format!(
        "[profile session]\nsso_session = corp\nsso_account_id = {ACCOUNT}\nsso_role_name = ops\n\
         [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = {START_URL}\n\
         [profile legacy]\nsso_start_url = {START_URL}\nsso_region = eu-west-1\nsso_account_id = {ACCOUNT}\n\
         sso_role_name = ops\n"
    );
    setting.user.write(".aws/config", &config);
}

#[test]
fn single_sign_on_takes_the_cached_token_and_refreshes_an_old_one() {
    let setting = Setting::new();
    setting.role("x");
    let keys = setting.session("me@corp");
    let portal = portal(&keys, ACCOUNT);
    sso_profile(&setting);
    let token = |access: &str, seconds: i64| {
        json!({"startUrl": START_URL, "region": "eu-west-1", "accessToken": access,
            "expiresAt": timestamp(seconds).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()})
    };
    let endpoints =
        [("AWS_ENDPOINT_URL_SSO", portal.url.as_str()), ("AWS_ENDPOINT_URL_SSO_OIDC", portal.url.as_str())];
    let of = |profile: &'static str| [("AWS_PROFILE", profile), endpoints[0], endpoints[1]];
    let secrets =
        [text(&keys, "secretAccessKey"), text(&keys, "sessionToken"), "portal-token", "client-secret"];

    setting.refused(LATER, &of("session"), &["profile \"session\""]);
    cache(&setting, "corp", &token("old-token", -60));
    setting.refused(LATER, &of("session"), &["profile \"session\"", "expired"]);
    assert!(portal.asked().is_empty(), "an old token is not sent");

    let mut refreshed = token("old-token", -60);
    refreshed.as_object_mut().unwrap().extend(
        json!({"refreshToken": "refresher", "clientId": "client", "clientSecret": "client-secret",
            "registrationExpiresAt": timestamp(7200).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()})
        .as_object()
        .unwrap()
        .clone(),
    );
    cache(&setting, "corp", &refreshed);
    setting.acts_as("assumed-role/ops/me@corp", &of("session"), &secrets);
    assert!(portal.asked().iter().any(|request| request.starts_with("POST /token ")));

    setting.user.good(&["connection", "delete", "a", "--yes"]);
    cache(&setting, START_URL, &token("portal-token", 3600));
    setting.acts_as("assumed-role/ops/me@corp", &of("legacy"), &secrets);
}

#[test]
fn a_profiles_role_is_taken_on_with_the_keys_of_another_profile() {
    let setting = Setting::new();
    let arn = setting.role("right");
    let (id, secret) =
        (setting.offered("/credential/accessKeyId"), setting.offered("/credential/secretAccessKey"));
    setting.user.write(
        ".aws/credentials",
        &format!("[base]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"),
    );
    let config = |external_id: &str| {
        let text = format!(
            "[profile ops]\nrole_arn = {arn}\nsource_profile = base\nexternal_id = {external_id}\nrole_session_name = from-profile\n"
        );
        setting.user.write(".aws/config", &text);
    };
    let endpoint = setting.endpoint();
    let environment = [("AWS_PROFILE", "ops"), ("AWS_ENDPOINT_URL_STS", endpoint.as_str())];
    config("wrong");
    setting.refused(LATER, &environment, &["profile \"ops\"", "not authorized to perform: sts:AssumeRole"]);
    config("right");
    setting.acts_as("assumed-role/ops/from-profile", &environment, &[&secret]);
}

#[test]
fn a_profiles_process_is_run_for_its_credentials() {
    let setting = Setting::new();
    setting.role("x");
    let keys = setting.session("process");
    let answer = json!({"Version": 1, "AccessKeyId": keys["accessKeyId"], "SecretAccessKey": keys["secretAccessKey"],
        "SessionToken": keys["sessionToken"], "Expiration": keys["expiration"]});
    let script = setting.user.write(
        "helper.sh",
        &format!(
            "test \"$1\" = good || {{ echo 'no such user' >&2; exit 3; }}\ncat <<'END'\n{answer}\nEND\n"
        ),
    );
    let config = |argument: &str| {
        let text = format!("[default]\ncredential_process = sh {} {argument}\n", script.display());
        setting.user.write(".aws/config", &text);
    };
    config("bad");
    setting.refused(LATER, &[], &["profile \"default\"", "no such user"]);
    config("good");
    setting.acts_as(
        "assumed-role/ops/process",
        &[],
        &[text(&keys, "secretAccessKey"), text(&keys, "sessionToken")],
    );
}

#[test]
fn an_endpoint_that_only_a_profile_names_is_refused_and_not_asked() {
    let setting = Setting::new();
    let arn = setting.role("right");
    let elsewhere = StandIn::new(|_| (500, String::new()));
    let config = format!(
        "[profile ops]\nrole_arn = {arn}\nsource_profile = base\nservices = near\n\
         [profile base]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = hunter2\n\
         [services near]\nsts =\n  endpoint_url = {}\n",
        elsewhere.url
    );
    setting.user.write(".aws/config", &config);
    setting.refused(LATER, &[("AWS_PROFILE", "ops")], &["profile \"ops\""]);
    assert!(elsewhere.asked().is_empty());
}
