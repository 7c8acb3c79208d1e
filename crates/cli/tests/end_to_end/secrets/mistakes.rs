//! What a user who is mistaken writes into the program, and what others send to it.

use serde_json::{Value, json};

use super::run::Run;
use crate::sandbox::Server;

/// Secrets that are no good, each of them some user's mistake.
pub(super) const WRONG: [&str; 6] = [
    "wrong/SecretAccessKey+1aB2cD3eF4gH5",
    "WrongClientSecret~1aB2cD3eF4gH5iJ6",
    "WrongBearerToken-1aB2cD3eF4gH5iJ6k",
    "WrongPassword-1aB2cD3eF4gH5iJ6kL7m",
    "SecretInAWrongField-1aB2cD3eF4gH5i",
    "SecretInTheQuery-1aB2cD3eF4gH5iJ6k",
];

impl Run {
    /// What a user who is mistaken writes into the program, and what others send to it.
    pub(super) fn err_in_the_program(&self, server: &Server) {
        let wrong = WRONG[4];
        self.user.write("given/wrong-field", wrong);
        for words in [
            "connection create m --provider aws --region r --credential accessKeyId=A --credential sessionToken=@given/wrong-field",
            "connection create m --provider aws --region r --credential foo=@given/wrong-field",
            "connection create m --provider gcp --region r --credential serviceAccountKey=@given/wrong-field",
            "connection create m --provider azure --region r --credential-file given/wrong-field",
            "connection update aws --credential accessKeyId=A --credential secretAccessKey=@given/wrong-field",
            "--config given/wrong-field provider list",
            "--master-key-file given/wrong-field provider list",
            "login http://127.0.0.1:9 --token @given/wrong-field",
        ] {
            let ended = self.run(words, &[]);
            assert!(ended.code == Some(0) || ended.code.is_some_and(|code| code > 0), "{ended:?}");
        }
        self.run(&format!("login {} --token @given/wrong-field", server.url), &[]);
        let made = self.run("api-token create t --role admin", &[]).out;
        let token = made.trim().lines().last().unwrap().to_owned();
        self.secret("an API token", &token);
        std::fs::write(self.user.path("given/api-token"), &token).unwrap();
        self.run(&format!("login {} --token @given/api-token", server.url), &[]);
        self.run(&format!("--server {} provider list", server.url), &[]);
        let inside = server.url.replace("http://", &format!("http://me:{}@", WRONG[5]));
        self.run(&format!("--server {inside} provider list"), &[]);
        let bearer = format!("Bearer {token}");
        for (method, path, body) in [
            ("POST", "/v1/connections".to_owned(), json!({"name": "m", "provider": "aws", "region": "r", "secretAccessKey": wrong}).to_string()),
            ("POST", "/v1/connections".to_owned(), json!({"name": "m", "provider": "aws", "region": "r", "credential": wrong}).to_string()),
            ("POST", "/v1/connections".to_owned(), json!({"name": "m", "provider": "aws", "region": "r", "credential": {"secretAccessKey": [wrong]}}).to_string()),
            ("POST", "/v1/connections".to_owned(), json!({"name": "m", "provider": "aws", "credential": {"secretAccessKey": wrong}, "pace": wrong}).to_string()),
            ("POST", "/v1/connections".to_owned(), format!("{{\"credential\": {{\"secretAccessKey\": \"{wrong}\"")),
            ("PATCH", "/v1/connections/aws".to_owned(), json!({"credential": {"accessKeyId": "A", "secretAccessKey": wrong, wrong: "x"}}).to_string().replace(&format!("\"{wrong}\":"), "\"more\":")),
            ("GET", format!("/v1/connections?token={}", WRONG[5]), String::new()),
            ("GET", format!("/v1/nothing?access_token={}", WRONG[5]), String::new()),
            ("POST", "/v1/apiTokens".to_owned(), json!({"name": "u", "role": "viewer"}).to_string()),
        ] {
            let answer = self.raw(server, "what a client sends", method, &path, &bearer, &body);
            if path == "/v1/apiTokens" {
                let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
                self.secret("an API token", body["token"].as_str().unwrap());
            }
        }
    }
}
