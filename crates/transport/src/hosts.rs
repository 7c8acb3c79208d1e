//! The hosts that a client may speak to. A URL that a cloud returns (an operation, a next page) is followed only
//! there, so that a credential never goes elsewhere.

use url::{Host, Url};

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

/// How the unique local addresses begin at which EC2's (`fd00:ec2::254`) and Google's (`fd20:ce::254`) metadata services
/// answer.
const OF_METADATA: [[u16; 2]; 2] = [[0xfd00, 0xec2], [0xfd20, 0xce]];

/// Whether a URL names a link-local address, or the name that stands for one: a machine's own metadata service answers
/// there, which hands out its credentials, and never a cloud's API or a cluster's.
///
/// Sources: <https://www.rfc-editor.org/rfc/rfc3927>, <https://www.rfc-editor.org/rfc/rfc4291#section-2.5.6>,
/// <https://cloud.google.com/compute/docs/metadata/querying-metadata>,
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>
pub fn is_link_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_link_local(),
        Some(Host::Ipv6(address)) => {
            let [first, second, ..] = address.segments();
            address.is_unicast_link_local()
                || OF_METADATA.contains(&[first, second])
                || address.to_ipv4_mapped().is_some_and(|old| old.is_link_local())
        }
        Some(Host::Domain(name)) => {
            name.trim_end_matches('.').eq_ignore_ascii_case("metadata.google.internal")
        }
        None => false,
    }
}

/// Whether any of `hosts` admits `url`. No hosts admit nothing.
pub(crate) fn admits(hosts: &[AllowedHost], url: &Url) -> bool {
    hosts.iter().any(|host| host.admits(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_addresses_are_known_in_every_writing() {
        for (url, local) in [
            ("http://169.254.169.254/latest", true),
            ("http://2852039166/", true),
            ("http://0xa9.0376.43518/", true),
            ("https://[fe80::1]/", true),
            ("https://[::ffff:169.254.169.254]/", true),
            ("http://Metadata.Google.Internal./", true),
            ("http://[fd00:ec2::254]/latest", true),
            ("http://[fd20:ce::254]/", true),
            ("https://[fd00::1]/", false),
            ("http://127.0.0.1:1/", false),
            ("https://[::1]/", false),
            ("https://10.0.0.1/", false),
            ("https://eks.amazonaws.com/", false),
        ] {
            assert_eq!(is_link_local(&Url::parse(url).unwrap()), local, "{url}");
        }
    }

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
