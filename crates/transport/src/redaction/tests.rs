//! Every secret here is `hunter2` or longer words with it, so one assertion finds what slipped through.

use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderValue};
use proptest::prelude::*;

use super::*;

const SECRET: &str = "hunter2";

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(text, expected);
    assert!(!text.contains(SECRET), "{text}");
}

fn redaction() -> Redaction {
    Redaction::default()
}

#[test]
fn names_promise_secrets_in_any_spelling() {
    for name in [
        "password",
        "PASSWORD",
        "adminPassword",
        "secret",
        "SecretAccessKey",
        "client_secret",
        "clientSecret",
        "privateKey",
        "private_key",
        "ssh-private-key",
        "SessionToken",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
        "X-Goog-Signature",
        "sig",
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "Set-Cookie",
        "x-auth-token",
        "X-Subject-Token",
        "access_token",
        "refresh_token",
        "id_token",
        "KeyMaterial",
        "UserData",
        "Credentials.SecretAccessKey",
        "LaunchTemplateData.UserData",
        "Users.member.1.Password",
        "user[password]",
        "wsse:Password",
        "kubeconfigs",
        "client-key-data",
        "assertion",
        "WebIdentityToken",
        "ExternalId",
        "apiKey",
        "x-ncp-apigw-signature-v2",
        "AccountKey",
        "bootstrapToken",
    ] {
        assert!(redaction().is_secret_name(name), "{name}");
    }
    for name in [
        "nextToken",
        "NextToken",
        "nextPageToken",
        "pageToken",
        "clientRequestToken",
        "ClientToken",
        "AccessKeyId",
        "X-Amz-Credential",
        "X-Amz-SignedHeaders",
        "HttpTokens",
        "certificateAuthority",
        "certificate-authority-data",
        "PublicKeyMaterial",
        "tokenType",
        "SignatureVersion",
        "keyName",
        "name",
        "InvalidClientTokenId",
        "ExpiredTokenException",
        "MetadataOptions.HttpTokens",
        "key",
        "principalArn",
        "signature_version",
    ] {
        assert!(!redaction().is_secret_name(name), "{name}");
    }
    let own = Redaction::with_names(["X-My-Thing", "connectionString"]);
    assert!(own.is_secret_name("x_my_thing") && own.is_secret_name("a.ConnectionString"));
}

#[test]
fn headers_lose_what_authenticates() {
    let mut headers = HeaderMap::new();
    headers
        .insert(AUTHORIZATION, HeaderValue::from_static("AWS4-HMAC-SHA256 Credential=A, Signature=hunter2"));
    headers.insert("x-amz-security-token", HeaderValue::from_static("hunter2"));
    headers.append(COOKIE, HeaderValue::from_static("a=hunter2"));
    headers.append(COOKIE, HeaderValue::from_static("b=hunter2"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("location", HeaderValue::from_static("https://a.example/?sig=hunter2&x=1"));
    headers.insert("x-binary", HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    let mut marked = HeaderValue::from_static("hunter2");
    marked.set_sensitive(true);
    headers.insert("x-marked", marked);
    let shown = redaction().headers(&headers);
    check(shown["authorization"].as_str(), REDACTED);
    check(shown["cookie"].as_str(), "[redacted], [redacted]");
    check(shown["location"].as_str(), "https://a.example/?sig=[redacted]&x=1");
    assert_eq!(shown["content-type"], "application/json");
    assert_eq!(shown["x-binary"], "[2 bytes that are not text]");
    assert!(!format!("{shown:?}").contains(SECRET), "{shown:?}");
}

#[test]
fn json_loses_secrets_at_any_depth() {
    for (given, expected) in [
        (r#"{"password":"hunter2","n":1}"#, r#"{"n":1,"password":"[redacted]"}"#),
        (r#"{"a":[{"b":{"clientSecret":"hunter2"}}]}"#, r#"{"a":[{"b":{"clientSecret":"[redacted]"}}]}"#),
        (
            r#"{"secret":{"x":"hunter2","y":[7,true,null,""]}}"#,
            r#"{"secret":{"x":"[redacted]","y":["[redacted]",true,null,""]}}"#,
        ),
        (
            r#"{"tags":[{"Key":"db-password","Value":"hunter2"}]}"#,
            r#"{"tags":[{"Key":"db-password","Value":"[redacted]"}]}"#,
        ),
        (r#"{"kind":"Secret","data":{"a":"hunter2"}}"#, r#"{"data":{"a":"[redacted]"},"kind":"Secret"}"#),
        (r#"{"log":"{\"token\":\"hunter2\"}"}"#, r#"{"log":"{\"token\":\"[redacted]\"}"}"#),
        (
            r#"{"log":"<a><Password>hunter2</Password></a>"}"#,
            r#"{"log":"<a><Password>[redacted]</Password></a>"}"#,
        ),
        (
            r#"["url https://s3.example/k?X-Amz-Credential=AKIA&X-Amz-Signature=hunter2"]"#,
            r#"["url https://s3.example/k?X-Amz-Credential=AKIA&X-Amz-Signature=[redacted]"]"#,
        ),
        (
            r#"{"nextToken":"abc","certificateAuthority":{"data":"LS0t"}}"#,
            r#"{"certificateAuthority":{"data":"LS0t"},"nextToken":"abc"}"#,
        ),
        (r#"{"password":"hunter2","password":"x"}"#, r#"{"password":"[redacted]"}"#),
        (r#"{"p\u0061ssword":"hunter2"}"#, r#"{"password":"[redacted]"}"#),
    ] {
        check(&redaction().body("application/x-amz-json-1.1", given.as_bytes()), expected);
    }
}

#[test]
fn broken_json_loses_secrets_by_their_looks() {
    for (given, expected) in [
        (r#"{"password":"hunter2","a":"#, r#"{"password":"[redacted]","a":"#),
        (r#"{"password" : "hun\"ter2 hunter2", "a"#, r#"{"password" : "[redacted]", "a"#),
        (r#"{"secret":{"value":"hunter2""#, r#"{"secret":[redacted]"#),
        (r#"{"log":"{\"token\":\"hunter2\",\"n\":"#, r#"{"log":"{\"token\":\"[redacted]\",\"n\":"#),
        (r#"{"password":"hunter2"#, r#"{"password":"[redacted]"#),
    ] {
        check(&redaction().body("application/json", given.as_bytes()), expected);
    }
}

#[test]
fn xml_loses_secrets_in_elements_attributes_and_text() {
    for (given, expected) in [
        (
            "<R><SecretAccessKey>hunter2</SecretAccessKey><AccessKeyId>AKIA</AccessKeyId></R>",
            "<R><SecretAccessKey>[redacted]</SecretAccessKey><AccessKeyId>AKIA</AccessKeyId></R>",
        ),
        (
            "<R><keyMaterial>-----BEGIN&#13;\nhunter2</keyMaterial></R>",
            "<R><keyMaterial>[redacted]</keyMaterial></R>",
        ),
        (
            "<a:R xmlns:a='u'><a:Password><b>hunter2</b></a:Password></a:R>",
            "<a:R xmlns:a='u'><a:Password><b>[redacted]</b></a:Password></a:R>",
        ),
        ("<R><password><![CDATA[hunter2]]></password></R>", "<R><password>[redacted]</password></R>"),
        ("<R db='x' password=\"hunter2\"/>", "<R db='x' password=\"[redacted]\"/>"),
        (
            "<tagSet><item><key>token</key><value>hunter2</value></item><item><key>a</key><value>b</value></item></tagSet>",
            "<tagSet><item><key>token</key><value>[redacted]</value></item><item><key>a</key><value>b</value></item></tagSet>",
        ),
        (
            "<u>https://h/?a=1&amp;X-Amz-Signature=hunter2&amp;b=2</u>",
            "<u>https://h/?a=1&amp;X-Amz-Signature=[redacted]&amp;b=2</u>",
        ),
        (
            "<k>-----BEGIN RSA PRIVATE KEY-----&#13;hunter2&#13;-----END RSA PRIVATE KEY-----</k>",
            "<k>-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----</k>",
        ),
        ("<m>{\"password\":\"hunter2\"}</m>", "<m>{&quot;password&quot;:&quot;[redacted]&quot;}</m>"),
        ("<m><!-- hunter2 --><a>&lt;ok&gt;</a></m>", "<m><a>&lt;ok&gt;</a></m>"),
        ("<m><password>hunter2</pass", "<m><password>[redacted]</pass"),
    ] {
        check(&redaction().body("text/xml", given.as_bytes()), expected);
    }
}

#[test]
fn forms_and_queries_lose_secrets() {
    for (given, expected) in [
        ("Action=A&client_secret=hunter2&x=1", "Action=A&client_secret=[redacted]&x=1"),
        ("LaunchTemplateData.UserData=hunter2", "LaunchTemplateData.UserData=[redacted]"),
        ("p%61ssword=hunter2&a=%20", "p%61ssword=[redacted]&a=%20"),
        (
            "Tag.1.Key=api-secret&Tag.1.Value=hunter2&Tag.2.Key=a&Tag.2.Value=b",
            "Tag.1.Key=api-secret&Tag.1.Value=[redacted]&Tag.2.Key=a&Tag.2.Value=b",
        ),
        ("Doc=%7B%22token%22%3A%22hunter2%22%7D", "Doc={\"token\":\"[redacted]\"}"),
        ("redirect=https%3A%2F%2Fh%2F%3Fsig%3Dhunter2%26a%3Db", "redirect=https://h/?sig=[redacted]%26a=b"),
        ("NextToken=abc&ClientToken=def", "NextToken=abc&ClientToken=def"),
        ("grant&password=&token=hunter2", "grant&password=&token=[redacted]"),
    ] {
        check(
            &redaction().body("application/x-www-form-urlencoded; charset=utf-8", given.as_bytes()),
            expected,
        );
    }
    check(
        &redaction()
            .url("https://user:hunter2@h.example/p?X-Amz-Security-Token=hunter2&X-Amz-Date=20260101T000000Z"),
        "https://user:[redacted]@h.example/p?X-Amz-Security-Token=[redacted]&X-Amz-Date=20260101T000000Z",
    );
}

#[test]
fn signed_urls_of_operations_lose_their_signature() {
    const PLACE: &str = "https://management.example/subscriptions/1/operations/2";
    let signed = format!("{PLACE}?api-version=2016-03-30&t=638&c=MIIhunter2&s=hunter2-x&h=hunter2");
    check(
        &redaction().url(&signed),
        &format!("{PLACE}?api-version=2016-03-30&t=[redacted]&c=[redacted]&s=[redacted]&h=[redacted]"),
    );
    check(&redaction().text(&format!("see {signed}, later")), &format!("see {PLACE}?[redacted], later"));
    check(
        &redaction().body("application/json", format!(r#"{{"next":"{signed}"}}"#).as_bytes()),
        &format!(r#"{{"next":"{PLACE}?[redacted]"}}"#),
    );
    let mut headers = HeaderMap::new();
    headers.insert("azure-asyncoperation", HeaderValue::from_str(&signed).unwrap());
    check(&redaction().headers(&headers)["azure-asyncoperation"], &format!("{PLACE}?[redacted]"));
    // Not all four: letters as any.
    let plain = format!("{PLACE}?t=1&c=2&s=3");
    assert_eq!((redaction().url(&plain), redaction().text(&plain)), (plain.clone(), plain));
}

#[test]
fn text_loses_what_looks_like_a_secret() {
    for (given, expected) in [
        (
            "GET https://sts.example/?Action=X&X-Amz-Signature=hunter2 failed",
            "GET https://sts.example/?Action=X&X-Amz-Signature=[redacted] failed",
        ),
        (
            "a=https%3A%2F%2Fh%2F%3Fa%3Db%26sig%3Dhunter2%26c%3Dd",
            "a=https%3A%2F%2Fh%2F%3Fa%3Db%26sig%3D[redacted]%26c%3Dd",
        ),
        ("x%253Fa%2526sig%253Dhunter2%2526c", "x%253Fa%2526sig%253D[redacted]%2526c"),
        (
            "Authorization: AWS4-HMAC-SHA256 Credential=A, Signature=hunter2\nHost: h",
            "Authorization: [redacted]\nHost: h",
        ),
        ("sent Bearer hunter2hunter2hunter2, got 401", "sent Bearer [redacted], got 401"),
        ("BASIC aHVudGVyMg== x", "BASIC [redacted] x"),
        ("token k8s-aws-v1.aHR0cHM6Ly9zdHM_-hunter2 end", "token k8s-aws-v1.[redacted] end"),
        ("jwt eyJhbGciOiJI.eyJzdWIiOiIx.hunter2-sig end", "jwt [redacted] end"),
        ("https://ghp_hunter2@github.example/x", "https://[redacted]@github.example/x"),
        (
            "-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----[redacted]-----END PRIVATE KEY-----",
        ),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2", "-----BEGIN OPENSSH PRIVATE KEY-----[redacted]"),
        ("password = 'hunter2 hunter2' ok", "password = '[redacted]' ok"),
        ("비밀 password=hunter2&언어=한국어", "비밀 password=[redacted]&언어=한국어"),
    ] {
        check(&redaction().text(given), expected);
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "The security token included in the request is invalid.",
        "InvalidClientTokenId: The security token included in the request is invalid.",
        "basic authentication failed",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "arn:aws:iam::123456789012:role/x",
        "https://eks.ap-northeast-2.amazonaws.com:443/clusters?maxResults=100",
        "mail user@example.com at 10:30",
        "disablePasswordAuthentication: true",
    ] {
        assert_eq!(redaction().text(text), text);
    }
}

#[test]
fn what_is_not_text_is_only_counted() {
    assert_eq!(redaction().body("application/octet-stream", b"\xff\x00\x01"), "[3 bytes that are not text]");
    assert_eq!(redaction().body("", b""), "");
}

#[test]
fn hostile_text_costs_no_more_than_its_length() {
    for piece in [
        "token=a ",
        ">",
        "<token>",
        "\\\"",
        "://@",
        "%26sig%3D",
        "eyJ.",
        "-----BEGIN ",
        "password:\"",
        "Bearer ",
        "token=[redacted]",
        "?t=1&c=2&s=3",
        "cookie: [redacted]",
        "-----BEGIN PRIVATE KEY-----[redacted]",
    ] {
        // Eight times the text takes eight times as long; where each part of it were read for every other one, it would
        // be sixty-four times. Of several tries the best one holds: another one of the machine's own may be slow.
        let mut tries = (0..5).map(|_| cost_of(piece, 40_000).div_duration_f64(cost_of(piece, 5_000)));
        assert!(tries.any(|times| times < 12.0), "{piece}");
    }
}

/// The time of a processor that it takes to redact so many bytes of it, whatever else runs meanwhile.
fn cost_of(piece: &str, length: usize) -> std::time::Duration {
    let text = piece.repeat(length / piece.len());
    let used = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        std::time::Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
    };
    let before = used();
    redaction().text(&text);
    redaction().body("application/xml", format!("<a>{text}").as_bytes());
    used().saturating_sub(before)
}

#[test]
fn bodies_go_as_a_whole_where_they_are_nothing_but_a_secret() {
    let redaction = redaction().without_bodies();
    assert_eq!(redaction.body("text/plain", b"AQAEAL-plain-and-bare"), REDACTED);
    assert_eq!(redaction.body("", b""), "");
}

proptest! {
    #[test]
    fn nothing_panics_and_twice_is_once(text in "\\PC{0,80}") {
        for shown in [redaction().text(&text), redaction().body("", text.as_bytes()), redaction().form(&text)] {
            prop_assert!(shown.len() <= text.len() * 6 + 200);
        }
        let once = redaction().text(&text);
        prop_assert_eq!(redaction().text(&once), once);
    }

    #[test]
    fn a_named_secret_never_survives(
        before in "[a-z ={}\\[\\]\"':&<>%\\\\]{0,12}",
        name in prop::sample::select(vec!["password", "clientSecret", "X-Amz-Signature", "token", "sig"]),
        after in "[a-z ={}\\[\\]\"':&<>%\\\\]{0,12}",
    ) {
        let text = format!("{before} {name}=hunter2secret {after}");
        prop_assert!(!redaction().text(&text).contains("hunter2"), "{text}");
        let json = serde_json::json!({ "a": [before, { name: "hunter2secret" }], "b": after }).to_string();
        prop_assert!(!redaction().body("", json.as_bytes()).contains("hunter2"), "{json}");
    }
}
