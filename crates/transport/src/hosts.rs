//! The hosts that a client may speak to. A URL that a cloud returns (an operation, a next page) is followed only
//! there, so that a credential never goes elsewhere.

use url::Url;

/// A place that a client may send its credential to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedHost {
    /// Exactly this host, by HTTPS on the default port.
    Host(String),
    /// Every host below this domain (given without a leading dot), by HTTPS on the default port.
    Below(String),
    /// Exactly this origin: scheme, host and port. For endpoints that a user named.
    Origin(url::Origin),
}

impl AllowedHost {
    /// The origin of an endpoint that a user named.
    pub fn origin_of(endpoint: &Url) -> Self {
        Self::Origin(endpoint.origin())
    }

    fn admits(&self, url: &Url) -> bool {
        let usual = url.scheme() == "https" && url.port().is_none();
        let named = url.username().is_empty() && url.password().is_none();
        let host = url.host_str().unwrap_or_default();
        named
            && match self {
                Self::Host(allowed) => usual && host.eq_ignore_ascii_case(allowed),
                Self::Below(domain) => usual && is_below(host, domain),
                Self::Origin(origin) => url.origin() == *origin,
            }
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host.strip_suffix(&domain.to_ascii_lowercase()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// Whether any of `hosts` admits `url`. No hosts admit nothing.
pub(crate) fn admits(hosts: &[AllowedHost], url: &Url) -> bool {
    hosts.iter().any(|host| host.admits(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_connections_own_hosts_are_admitted() {
        let hosts = [
            AllowedHost::Host("sts.amazonaws.com".into()),
            AllowedHost::Below("eks.amazonaws.com".into()),
            AllowedHost::origin_of(&Url::parse("http://127.0.0.1:5000/x").unwrap()),
        ];
        for (url, admitted) in [
            ("https://sts.amazonaws.com/", true),
            ("https://STS.amazonaws.com:443/", true),
            ("http://sts.amazonaws.com/", false),
            ("https://sts.amazonaws.com:8443/", false),
            ("https://user@sts.amazonaws.com/", false),
            ("https://sts.amazonaws.com.evil.example/", false),
            ("https://a.b.eks.amazonaws.com/p?q", true),
            ("https://eks.amazonaws.com/", false),
            ("https://evileks.amazonaws.com/", false),
            ("https://.eks.amazonaws.com/", false),
            ("http://127.0.0.1:5000/other", true),
            ("http://127.0.0.1:5001/", false),
            ("https://127.0.0.1:5000/", false),
        ] {
            let parsed = Url::parse(url);
            assert_eq!(parsed.is_ok_and(|url| admits(&hosts, &url)), admitted, "{url}");
        }
        assert!(!admits(&[], &Url::parse("https://sts.amazonaws.com/").unwrap()));
    }
}
