//! The assertion against a signature that another program made with a published key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::tests::KEY;
use super::*;

const EMAIL: &str = "pmks@proj.iam.gserviceaccount.com";

/// What `openssl dgst -sha256 -sign` makes of the header and claims below with the key of RFC 7515, appendix A.2.
const SIGNATURE: &str = "IUDjDbl9MHbzVK5EUMslng45Hra8Zw2cdvYZ0HlFAeuP729fl9soMuPouiE_u6qw_fwe7HBuXWuDDZjRs7bAjBNR_qmKW5E80-Ph4Vjnu69Pg6Ke2JjufNN4tpDSrUnDdTb1az4R0fzqDtk9QDpQt-0qAUS7tImjjEJaRdNWK_k4Y-DBxuGpqjqx-iK8XhL9ebpAWEedJg6xKaLZABFz2fwYsOF1cA0FpSwdbIsRMhg6Q1rZnQaB4l0t-NgrBf3xBuiMhg2gxT2mFkQyZQ5XUxFLlQpih8IMSWjLehzQuWEblS1T92G2lbLB40DR7zuEmso_RniBxOH-20bjJIb0GQ";

fn account() -> ServiceAccount {
    ServiceAccount::new(EMAIL, KEY, Some("k1".to_owned())).unwrap()
}

fn part(text: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

#[test]
fn an_assertion_says_who_asks_for_what_and_is_signed_by_the_key() {
    let assertion = account().assertion("2026-11-23T10:00:00Z".parse().unwrap()).unwrap();
    let parts: Vec<&str> = assertion.split('.').collect();
    assert_eq!(part(parts[0]), json!({"typ": "JWT", "alg": "RS256", "kid": "k1"}));
    assert_eq!(
        part(parts[1]),
        json!({"iss": EMAIL, "scope": SCOPES.join(" "), "aud": "https://oauth2.googleapis.com/token",
            "iat": 1_795_428_000, "exp": 1_795_431_600})
    );
    assert_eq!(parts[2], SIGNATURE);
}

#[test]
fn a_key_is_pem_with_line_ends_of_either_kind() {
    let escaped = KEY.trim().replace('\n', "\\n");
    let same = ServiceAccount::new(EMAIL, &escaped, Some("k1".to_owned())).unwrap();
    let at = Timestamp::UNIX_EPOCH;
    assert_eq!(same.assertion(at).unwrap(), account().assertion(at).unwrap());
    for no_key in ["", "hunter2", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"] {
        assert!(ServiceAccount::new(EMAIL, no_key, None).is_none(), "{no_key}");
    }
}

#[tokio::test]
async fn each_try_is_asserted_at_its_own_time() {
    let mut request = Request::new(Bytes::new());
    let context =
        SignContext { service: "oauth2", region: None, now: "2026-11-23T10:00:00Z".parse().unwrap() };
    Assertion(account()).sign(&mut request, context).await.unwrap();
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    let rest =
        body.strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
    assert!(rest.unwrap().ends_with(SIGNATURE));
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
}

#[test]
fn debug_shows_no_key() {
    let shown = format!("{:?} {:?}", account(), Assertion(account()));
    assert!(shown.contains(EMAIL) && !shown.contains("PRIVATE") && !shown.contains("k1"), "{shown}");
}
