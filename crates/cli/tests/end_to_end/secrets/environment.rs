//! A server whose secrets are not given to pmks to keep: its certificate's key in a file, the master key and the clouds'
//! credentials in its environment, or in files that this names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::mistakes::WRONG;
use super::run::Run;
use super::work::UnderTest;
use crate::sandbox::Sandbox;

type Variables = Vec<(&'static str, String)>;

impl Run {
    /// A server by TLS, twice: with credentials in its environment, and in files.
    pub(super) fn live_on_the_environment(&self) {
        let user = Sandbox::new();
        self.certificate(&user);
        let master_key = STANDARD.encode((0..32).map(|byte| byte * 7 + 3).collect::<Vec<u8>>());
        self.secret("a master key of the environment", &master_key);
        let mut connect = true;
        for credentials in [self.in_variables(), self.in_files(&user)] {
            let mut variables = vec![
                ("PMKS_MASTER_KEY", master_key.as_str()),
                ("AWS_EC2_METADATA_DISABLED", "true"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", self.collector.url.as_str()),
                ("OTEL_BSP_SCHEDULE_DELAY", "200"),
            ];
            variables.extend(credentials.iter().map(|(name, value)| (*name, value.as_str())));
            let more = "--tls-cert given/tls.pem --tls-key given/tls.key --log trace --record records";
            let server = user.serve_with(&more.split(' ').collect::<Vec<_>>(), &variables);
            for cloud in &self.clouds {
                let on =
                    |words: String| self.run_of(&user, &format!("--server-ca given/tls.pem {words}"), &[]);
                if connect {
                    let made = on(ambient(cloud));
                    assert_eq!(made.code, Some(0), "{made:?}");
                }
                let valid = on(format!("connection validate {}", cloud.name));
                assert_eq!(valid.code, Some(0), "{valid:?}");
                on(format!("connection get {} -o json", cloud.name));
                on(format!("-c {} network list -o json", cloud.name));
                let rule = json!([{"effect": {"type": "deny"}, "times": 2}]);
                Self::faults(cloud, &rule);
                on(format!("connection validate {}", cloud.name));
                Self::faults(cloud, &json!([]));
            }
            connect = false;
            assert_eq!(server.terminate(), Some(0));
        }
        for wrong in [WRONG[4], ""] {
            self.run_of(&user, "connection list", &[("PMKS_MASTER_KEY", wrong)]);
        }
        for folder in [".local", ".config", "given", "records"] {
            if user.path(folder).exists() {
                self.evidence().add_files(&format!("file other/{folder}"), &user.path(folder));
            }
        }
        self.evidence().add("file other/serve.log", std::fs::read(user.path("serve.log")).unwrap());
    }

    fn certificate(&self, user: &Sandbox) {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        user.write("given/tls.pem", &made.cert.pem());
        let key = made.signing_key.serialize_pem();
        user.write("given/tls.key", &key);
        for line in key.lines().filter(|line| line.len() >= 40 && !line.contains("PRIVATE KEY")) {
            self.secret("the private key of the server", line);
        }
    }

    /// The credentials of every cloud in its own variables; AWS' are a role's, which has a token beside.
    fn in_variables(&self) -> Variables {
        let [id, secret, token] = self.role_keys("variables");
        let mut all = vec![
            ("AWS_ACCESS_KEY_ID", id),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_SESSION_TOKEN", token),
            ("GOOGLE_APPLICATION_CREDENTIALS", self.key_file()),
        ];
        all.extend(self.azure());
        all
    }

    /// The same, AWS' in a profile.
    fn in_files(&self, user: &Sandbox) -> Variables {
        let [id, secret, token] = self.role_keys("files");
        let profile = format!(
            "[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n"
        );
        let path = user.write("given/aws-credentials", &profile);
        let mut all = vec![
            ("AWS_SHARED_CREDENTIALS_FILE", path.display().to_string()),
            ("GOOGLE_APPLICATION_CREDENTIALS", self.key_file()),
        ];
        all.extend(self.azure());
        all
    }

    fn azure(&self) -> Variables {
        let fields = &self.cloud("azure").simulator.ready["connection"]["credential"];
        let field = |name: &str| fields[name].as_str().unwrap().to_owned();
        vec![
            ("AZURE_TENANT_ID", field("tenantId")),
            ("AZURE_CLIENT_ID", field("clientId")),
            ("AZURE_CLIENT_SECRET", field("clientSecret")),
            ("AZURE_SUBSCRIPTION_ID", field("subscriptionId")),
        ]
    }

    /// The file that the key of the service account was given in.
    fn key_file(&self) -> String {
        self.user.path("given/gcp-serviceAccountKey").display().to_string()
    }

    fn role_keys(&self, session: &str) -> [String; 3] {
        let world = &self.cloud("aws").simulator.world;
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
        ]});
        world.event(&json!({"type": "roleIsMade", "name": session, "trust": trust}));
        let keys = world.event(&json!({"type": "roleIsTakenOn", "role": session, "session": session}));
        let key = |name: &str| keys[name].as_str().unwrap().to_owned();
        for secret in ["secretAccessKey", "sessionToken"] {
            self.secret("an ambient credential", &key(secret));
        }
        [key("accessKeyId"), key("secretAccessKey"), key("sessionToken")]
    }

    fn cloud(&self, name: &str) -> &UnderTest {
        self.clouds.iter().find(|cloud| cloud.name == name).unwrap()
    }
}

/// The command that makes an ambient connection.
fn ambient(cloud: &UnderTest) -> String {
    let connection = &cloud.simulator.ready["connection"];
    format!(
        "connection create {0} --provider {0} --region {1} --endpoint all={2} --pace {3} --ambient",
        cloud.name,
        connection["region"].as_str().unwrap(),
        cloud.tap.url,
        connection["pace"].as_f64().unwrap()
    )
}
