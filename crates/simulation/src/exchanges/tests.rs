//! What is kept of many exchanges, and what is not.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};

use super::{Exchange, Exchanges, Retold, Seen};
use crate::{Answered, Identified};

struct Record(Exchanges);

impl Record {
    fn new() -> Self {
        Self::of(&Arc::default())
    }

    fn of(seen: &Arc<Seen>) -> Self {
        let exchanges = Exchanges::default();
        exchanges.keep(Arc::clone(seen));
        Self(exchanges)
    }

    /// Sends one, and says what was kept because of it.
    fn of_one(&self, method: &str, path: &str, asked: &str, told: Option<(u16, &str)>) -> Vec<Exchange> {
        let request =
            Request::builder().method(method).uri(path).body(Bytes::from(asked.to_owned())).unwrap();
        let told = told.map(|(status, body)| answered(status, body));
        self.0.record(&call(), &request, told.as_ref());
        self.0.take().0
    }

    fn reads(&self, path: &str, told: &str) -> usize {
        self.of_one("GET", path, "", Some((200, told))).len()
    }
}

fn call() -> Identified {
    Identified { service: "s".to_owned(), action: "a".to_owned(), ..Identified::default() }
}

fn answered(status: u16, body: &str) -> Answered {
    let response = Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap();
    Answered { response, code: None, request_id: String::new() }
}

#[test]
fn what_shows_nothing_new_is_not_kept() {
    let record = Record::new();
    assert_eq!(record.reads("/c/x", r#"{"name":"x","size":1}"#), 1);
    for (path, told, kept) in [
        ("/c/x", r#"{"name":"x","size":1}"#, 0),
        ("/c/y", r#"{"name":"x","size":1}"#, 1),
        ("/c/y", r#"{"name":"y","size":1}"#, 1),
        ("/c/x", r#"{"name":"y","size":1}"#, 0),
        ("/c/x", r#"{"name":"x","size":9}"#, 1),
        ("/c/x", r#"{"name":"x","size":2}"#, 0),
        ("/c/x", r#"{"name":"x","size":"2"}"#, 1),
        ("/c/x", r#"{"name":"x"}"#, 1),
        ("/c/x", r#"{"name":"x","size":3,"state":"READY"}"#, 1),
        ("/c/x", r#"{"name":"x","size":3,"state":"GONE"}"#, 1),
        ("/c/x", r#"{"name":"x","size":4,"state":"GONE"}"#, 0),
        ("/c/x", r#"{"list":[]}"#, 1),
        ("/c/x", r#"{"list":[{"a":1}]}"#, 1),
        ("/c/x", r#"{"list":[{"a":0},{"a":9}]}"#, 1),
        ("/c/x", r#"{"list":[{"a":2},{"a":3}]}"#, 0),
        ("/c/x", r#"{"list":[{"a":2},{"b":3}]}"#, 1),
    ] {
        assert_eq!(record.reads(path, told), kept, "{told}");
    }
    assert_eq!(record.of_one("GET", "/c/x", "", Some((404, r#"{"name":"x"}"#))).len(), 1, "another status");
}

#[test]
fn names_without_an_end_are_kept_a_few_times() {
    let record = Record::new();
    let kept: usize =
        (0..500).map(|n| record.reads(&format!("/c/c{n}"), &format!(r#"{{"name":"c{n}"}}"#))).sum();
    assert_eq!(kept, 10, "eight words, and the first of each length");
    let record = Record::new();
    let kept: usize = (0..500).map(|n| record.reads("/c", &format!(r#"{{"tags":{{"tag-{n}":"x"}}}}"#))).sum();
    assert!(kept < 30, "{kept} of members that users name");
}

#[test]
fn what_is_beyond_all_that_was_is_kept_and_what_lies_between_is_not() {
    let record = Record::new();
    for (told, kept) in [
        ("1", 1),
        ("100", 1),
        ("50", 0),
        ("101", 1),
        ("0", 1),
        ("2147483647", 1),
        ("2147483646", 0),
        ("2147483648", 1),
        (r#""a""#, 1),
        (r#""ab""#, 1),
        (r#""abcdef""#, 1),
        (r#""a-b""#, 1),
        (r#""a-b-""#, 1),
        (r#""A-b""#, 1),
        ("{}", 1),
        (r#"{"x":{}}"#, 1),
    ] {
        assert_eq!(record.reads("/c/x", &format!(r#"{{"a":{told}}}"#)), kept, "{told}");
    }
    let list = |items: usize| format!(r#"{{"list":[{}]}}"#, vec!["7"; items].join(","));
    let kept: Vec<usize> = [2, 1, 4, 3, 5].map(|items| record.reads("/c/x", &list(items))).to_vec();
    assert_eq!(kept, [1, 1, 1, 0, 1]);
}

#[test]
fn words_that_differ_in_more_than_numbers_are_kept_beside_many_that_do_not() {
    let record = Record::new();
    let reads = |word: &str| record.reads("/c/x", &format!(r#"{{"type":"{word}"}}"#));
    (0..50).for_each(|number| {
        reads(&format!("node-{number}"));
        reads(&format!("sg-0{number:02x}ab12cd"));
    });
    assert_eq!(reads("node-51"), 0);
    assert_eq!(reads("sg-0eeeb12cd"), 0);
    assert_eq!(reads("t3.medium"), 1, "a machine type");
    assert_eq!(reads("t3.large"), 1, "another");
}

#[test]
fn another_header_is_new_and_what_lets_in_is_in_no_record() {
    let record = Record::new();
    let send = |headers: &[(&str, &str)], told: &[(&str, &str)]| {
        let mut request = Request::get("/c/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = answered(200, "{}");
        for (name, value) in told {
            answer.response.headers_mut().insert(
                http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                http::HeaderValue::from_str(value).unwrap(),
            );
        }
        record.0.record(&call(), &request.body(Bytes::new()).unwrap(), Some(&answer));
        record.0.take().0
    };
    let lets_in = [("authorization", "Bearer let-me-in"), ("x-amz-security-token", "let-me-in")];
    let kept =
        send(&[&lets_in[..], &[("if-match", "\"7\""), ("content-type", "application/json")]].concat(), &[]);
    assert!(!format!("{kept:?}").contains("let-me-in"), "{kept:?}");
    let names: Vec<(&str, &str)> =
        kept[0].request_headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        names,
        [("content-type", "application/json"), ("if-match", "\"7\""), ("x-amz-security-token", "")]
    );
    assert_eq!(send(&[("content-type", "text/plain")], &[]).len(), 1);
    assert_eq!(send(&[("x-ms-client-request-id", "1")], &[]).len(), 1);
    assert_eq!(send(&[("x-ms-client-request-id", "2")], &[("date", "today")]).len(), 0);
    assert_eq!(send(&[("x-ms-client-request-id", "2")], &[("retry-after", "1")]).len(), 1);
}

#[test]
fn forms_and_xml_are_read_as_json_is() {
    let record = Record::new();
    let post = |asked: &str, told: &str| record.of_one("POST", "/", asked, Some((200, told))).len();
    let told = "<?xml version=\"1.0\"?><R a=\"b\"><set><item><id>i</id><n>1</n></item></set></R>";
    assert_eq!(post("Action=A&Version=1&Filter.1.Name=x", told), 1);
    assert_eq!(
        post("Action=A&Version=1&Filter.2.Name=x", told),
        0,
        "the second item of a list is as the first"
    );
    assert_eq!(post("Action=A&Version=1&Filter.1.Other=x", told), 1);
    assert_eq!(post("Action=A&Version=2&Filter.1.Name=x", told), 1, "each version is a contract of its own");
    assert_eq!(post("Action=A&Version=1&Filter.1.Name=x", &told.replace("<n>1</n>", "<n/>")), 1);
    assert_eq!(post("Action=A&Version=1&Filter.1.Name=x", &told.replace("<n>1</n>", "")), 1);
    assert_eq!(post("Action=A&Version=1&Filter.1.Name=x&Filter.1.Name=x", told), 1, "given twice");
    let two = told.replace("</item>", "</item><item><id>i</id><n>1</n></item>");
    assert_eq!(post("Action=A&Version=1&Filter.1.Name=x", &two), 1, "two items may be too many");
    assert_eq!(post("Action=A&Version=1&Filter.1.Name=x", &two.replace("<id>i", "<id>j")), 1);
    assert_eq!(post("Action=A&Version=1&Filter.1.Name=x", &two.replace("<R a=\"b\">", "<R>")), 0);
}

#[test]
fn what_is_new_in_one_world_is_not_in_the_next() {
    let seen = Arc::new(Seen::default());
    let (first, second) = (Record::of(&seen), Record::of(&seen));
    assert_eq!(first.reads("/c/x", r#"{"a":1}"#), 1);
    assert_eq!(second.reads("/c/x", r#"{"a":1}"#), 0);
    assert_eq!(second.reads("/c/x", r#"{"b":1}"#), 1);
    second.0.leave_off();
    assert_eq!(second.reads("/c/x", r#"{"c":1}"#), 0);
    assert_eq!(Record(Exchanges::default()).reads("/c/x", r#"{"a":1}"#), 0, "nobody asked for it");
}

#[test]
fn what_brings_back_what_was_read_comes_with_what_was_read() {
    let record = Record::new();
    record.reads("/c/x", r#"{"etag":"1","name":"x"}"#);
    let kept = record.of_one("PUT", "/c/x/p/y", r#"{"etag":"1"}"#, Some((200, "{}")));
    assert_eq!(
        kept[0].before.iter().map(|read| read.url.as_str()).collect::<Vec<_>>(),
        ["http://localhost/c/x"]
    );
    record.reads("/c/x/p/y", r#"{"etag":"2"}"#);
    let kept = record.of_one("PUT", "/c/x/p/y", r#"{"etag":"2"}"#, Some((200, "{}")));
    assert_eq!(kept.len(), 1, "what was read before is another thing than what was not");
    assert_eq!(kept[0].before.len(), 2);
}

#[test]
fn what_a_parent_excused_is_looked_at_again_where_none_does() {
    let seen = Arc::new(Seen::default());
    let (first, second) = (Record::of(&seen), Record::of(&seen));
    let change = |record: &Record| record.of_one("PUT", "/c/x/p/y", r#"{"etag":"1"}"#, Some((200, "{}")));
    first.reads("/c/x", r#"{"pools":[{"etag":"1"}]}"#);
    assert_eq!(change(&first)[0].before.len(), 1);
    assert_eq!(change(&first).len(), 0);
    let again = change(&second);
    assert_eq!(again.len(), 1, "nothing that was read in this world excuses it");
    assert_eq!(again[0].before.len(), 0);
    assert_eq!(change(&second).len(), 0);
}

#[test]
fn what_is_kept_is_told_at_once() {
    let exchanges = Exchanges::default();
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    exchanges
        .keep_and_tell(Arc::default(), move |exchange| teller.lock().unwrap().push(exchange.url.clone()));
    for path in ["/c/x", "/c/x", "/d"] {
        let request = Request::get(path).body(Bytes::new()).unwrap();
        exchanges.record(&call(), &request, Some(&answered(200, "{}")));
    }
    assert_eq!(*told.lock().unwrap(), ["http://localhost/c/x", "http://localhost/d"]);
}

#[test]
fn what_another_world_read_before_is_remembered_in_this_one_too() {
    let seen = Arc::new(Seen::default());
    let (first, second) = (Record::of(&seen), Record::of(&seen));
    for told in [r#"{"a":1}"#, r#"{"b":1}"#] {
        first.reads("/c/x", told);
    }
    for told in [r#"{"b":1}"#, r#"{"a":1}"#, r#"{"b":1}"#] {
        assert_eq!(second.reads("/c/x", told), 0);
    }
    let kept = second.of_one("PUT", "/c/x", r#"{"a":1}"#, Some((200, "{}")));
    let read: Vec<_> = kept[0].before.iter().map(|read| read.response_body.as_str()).collect();
    assert_eq!(read, [r#"{"a":1}"#, r#"{"b":1}"#], "the newest last");
}

#[test]
fn an_answer_that_is_not_the_clouds_own_is_left_out_and_its_request_is_not() {
    let record = Record::new();
    let request = Request::put("/c/x").body(Bytes::from_static(br#"{"a":1}"#)).unwrap();
    let mut strange = answered(200, r#"{"b":1}"#);
    strange.response.extensions_mut().insert(Retold);
    record.0.record(&call(), &request, Some(&strange));
    let kept = record.0.take().0;
    assert_eq!(
        (kept[0].status, kept[0].response_body.as_str(), kept[0].request_body.as_str()),
        (None, "", r#"{"a":1}"#)
    );
}
