//! Who may talk to a loopback server: requests whose `Host` is loopback and whose `Origin`, if any, is the server's own.
//!
//! This keeps web pages (DNS rebinding, cross-site requests) away from a simulated cloud.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

/// Whether the headers are those of a local client.
pub(crate) fn is_local(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else {
        return false;
    };
    if !is_loopback(host) || headers.get_all(HOST).iter().count() != 1 {
        return false;
    }
    match headers.get(ORIGIN) {
        None => true,
        Some(origin) => origin.to_str().is_ok_and(|origin| {
            origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host)
        }),
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    name.is_some_and(|name| {
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        is_local(&headers)
    }

    #[test]
    fn loopback_hosts_without_foreign_origin_may() {
        assert!(local("127.0.0.1:4566", None));
        assert!(local("localhost:4566", None));
        assert!(local("[::1]:4566", None));
        assert!(local("127.0.0.1:4566", Some("http://127.0.0.1:4566")));
    }

    #[test]
    fn others_may_not() {
        assert!(!is_local(&HeaderMap::new()));
        assert!(!local("example.com", None));
        assert!(!local("127.0.0.1.example.com:80", None));
        assert!(!local("127.0.0.1:4566", Some("http://evil.example")));
        assert!(!local("127.0.0.1:4566", Some("http://127.0.0.1:8080")));
        assert!(!local("127.0.0.1:4566", Some("null")));
    }
}
