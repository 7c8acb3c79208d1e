//! Signatures of AWS' published test suite and documentation, against this verification; and what must fail.

use pmks_simulation::Random;

use super::*;

const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request of the published suite: its headers and signature as they stand there.
///
/// Source: <https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4>.
fn request(
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    signed: &str,
    signature: &str,
    body: &str,
) -> Request<Bytes> {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, \
         Signature={signature}"
    );
    let builder = Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "example.amazonaws.com")
        .header("x-amz-date", "20150830T123600Z")
        .header("authorization", authorization);
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    builder.body(Bytes::from(body.to_owned())).unwrap()
}

fn vanilla() -> Request<Bytes> {
    let signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    request("GET", "/", &[], "host;x-amz-date", signature, "")
}

fn wall(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn world() -> World {
    let mut world = World::new(1);
    let account = world.accounts.values_mut().next().unwrap();
    account.iam.add_key_for_tests(KEY, SECRET);
    world
}

fn verified(request: &Request<Bytes>, at: &str) -> Result<Caller, Unproven> {
    verify(request, &world(), wall(at), Limits::of("sts"))
}

#[test]
fn the_published_signatures_hold() {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let cases = [
        vanilla(),
        request(
            "POST",
            "/",
            &[],
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            "",
        ),
        request(
            "GET",
            "/?Param2=value2&Param1=value1",
            &[],
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            "",
        ),
        request(
            "POST",
            "/",
            &form,
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            "Param1=value1",
        ),
        request(
            "GET",
            "/",
            &[("my-header1", "  value1"), ("my-header2", " \"a   b   c\" ")],
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            "",
        ),
    ];
    for case in cases {
        let caller = verified(&case, "2015-08-30T12:36:00Z").map(|caller| caller.access_key);
        assert_eq!(caller, Ok(KEY.to_owned()), "{case:?}");
    }
}

#[test]
fn any_change_breaks_a_signature() {
    let at = "2015-08-30T12:36:00Z";
    let mut body = vanilla();
    *body.body_mut() = Bytes::from_static(b"x");
    assert_eq!(verified(&body, at), Err(Unproven::Mismatch));
    let mut path = vanilla();
    *path.uri_mut() = "/other".parse().unwrap();
    assert_eq!(verified(&path, at), Err(Unproven::Mismatch));
    let mut host = vanilla();
    host.headers_mut().insert("host", "example.com".parse().unwrap());
    assert_eq!(verified(&host, at), Err(Unproven::Mismatch));
}

#[test]
fn old_and_future_signatures_are_refused_in_awss_words() {
    let expired = verified(&vanilla(), "2015-08-30T12:51:01Z");
    let words = "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)";
    assert_eq!(expired, Err(Unproven::OutOfTime(words.to_owned())));
    let early = verified(&vanilla(), "2015-08-30T12:30:59Z");
    let words = "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)";
    assert_eq!(early, Err(Unproven::OutOfTime(words.to_owned())));
    assert!(verified(&vanilla(), "2015-08-30T12:51:00Z").is_ok());
    assert!(verified(&vanilla(), "2015-08-30T12:31:00Z").is_ok());
}

#[test]
fn who_is_unknown_or_says_nothing_proves_nothing() {
    let empty = World::new(Random::new(1).next_u64());
    let at = wall("2015-08-30T12:36:00Z");
    assert_eq!(verify(&vanilla(), &empty, at, Limits::of("sts")), Err(Unproven::UnknownKey));
    let bare = Request::builder().uri("/").body(Bytes::new()).unwrap();
    assert_eq!(verified(&bare, "2015-08-30T12:36:00Z"), Err(Unproven::Missing));
    let mut token = vanilla();
    token.headers_mut().insert("x-amz-security-token", "foreign".parse().unwrap());
    assert_eq!(verified(&token, "2015-08-30T12:36:00Z"), Err(Unproven::UnknownKey));
    for authorization in
        ["AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0", "Basic x"]
    {
        let mut broken = vanilla();
        broken.headers_mut().insert("authorization", authorization.parse().unwrap());
        let refused = verified(&broken, "2015-08-30T12:36:00Z");
        assert!(matches!(refused, Err(Unproven::Incomplete(_) | Unproven::Missing)), "{refused:?}");
    }
}

/// Made by botocore's `SigV4QueryAuth` (1.43.11) for these keys at this moment.
const PRESIGNED: &str = include_str!("presigned.txt");

#[test]
fn a_presigned_url_holds_until_it_expires() {
    let request = || {
        let uri = PRESIGNED.trim().strip_prefix("https://sts.us-east-1.amazonaws.com").unwrap();
        let builder = Request::builder().uri(uri).header("host", "sts.us-east-1.amazonaws.com");
        builder.header("x-k8s-aws-id", "demo").body(Bytes::new()).unwrap()
    };
    assert!(verified(&request(), "2015-08-30T12:36:59Z").is_ok());
    assert!(matches!(verified(&request(), "2015-08-30T12:37:01Z"), Err(Unproven::OutOfTime(_))));
    let mut other = request();
    other.headers_mut().insert("x-k8s-aws-id", "other".parse().unwrap());
    assert_eq!(verified(&other, "2015-08-30T12:36:59Z"), Err(Unproven::Mismatch));
    let quarter = Limits { presigned: Some(SignedDuration::from_mins(15)), ..Limits::of("sts") };
    assert!(verify(&request(), &world(), wall("2015-08-30T12:50:00Z"), quarter).is_ok());
}

/// Signs a request in the header form with the world's own arithmetic, which the published vectors above vouch for.
pub(crate) fn sign(
    mut request: Request<Bytes>,
    key: (&str, &str),
    scope: (&str, &str),
    at: Timestamp,
) -> Request<Bytes> {
    let date = basic(at);
    let (region, service) = scope;
    let credential =
        format!("{}/{}/{region}/{service}/aws4_request", key.0, date.get(..8).unwrap_or_default());
    let authorization = |signature: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature={signature}"
        )
    };
    request.headers_mut().insert("host", "127.0.0.1".parse().unwrap());
    request.headers_mut().insert("x-amz-date", date.parse().unwrap());
    request.headers_mut().insert("authorization", authorization("00").parse().unwrap());
    let signed = read(&request).unwrap();
    let text = text_to_sign(&request, &signed);
    let mac = signer(&signing_key(key.1, &signed.scope), text.as_bytes()).unwrap();
    let signature = hex(&mac.finalize().into_bytes());
    request.headers_mut().insert("authorization", authorization(&signature).parse().unwrap());
    request
}
