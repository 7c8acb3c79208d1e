//! Where each service is reached. Knows no credential.

use std::collections::BTreeMap;

use pmks_model::Findings;
use pmks_transport::{AllowedHost, Url};

/// The services that a connection may give endpoints of its own. `oauth2`, `sts` and `iamcredentials` give tokens.
pub(crate) const SERVICES: [&str; 7] =
    ["container", "compute", "serviceusage", "iamcredentials", "sts", "oauth2", "monitoring"];

/// The endpoints of one connection. All of a project's regions are behind the same ones.
///
/// Source: the `rootUrl` of each service's discovery document, <https://developers.google.com/discovery/v1/reference>
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    of_service: BTreeMap<&'static str, Url>,
}

impl Endpoints {
    /// What cannot be right of the endpoints that a connection replaces.
    pub(crate) fn check(replaced: &BTreeMap<String, Url>, findings: &mut Findings) {
        for (service, url) in replaced {
            let field = format!("endpoints.{service}");
            if service != "all" && !SERVICES.contains(&service.as_str()) {
                findings.add(field, format!("is not known here; known are all, {}", SERVICES.join(", ")));
            } else if !matches!(url.scheme(), "http" | "https")
                || url.cannot_be_a_base()
                || url.query().is_some()
            {
                findings.add(field, "must be an http or https URL without a query");
            } else if !url.username().is_empty() || url.password().is_some() {
                findings.add(field, "must not hold a user name or password");
            }
        }
    }

    /// The real cloud's, but for those that the connection replaces (`all`, or by service) and that are right.
    pub(crate) fn new(replaced: &BTreeMap<String, Url>) -> Self {
        let mut of_service = BTreeMap::new();
        for service in SERVICES {
            let own = replaced.get(service).or_else(|| replaced.get("all")).cloned();
            let url = own.or_else(|| Url::parse(&format!("https://{service}.googleapis.com/")).ok());
            of_service.extend(url.map(|url| (service, url)));
        }
        Self { of_service }
    }

    /// Where a service is reached.
    pub(crate) fn of(&self, service: &str) -> Option<&Url> {
        self.of_service.get(service)
    }

    /// Where the connection's credential may go.
    pub(crate) fn hosts(&self) -> Vec<AllowedHost> {
        self.of_service.values().map(AllowedHost::origin_of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_its_host() {
        let endpoints = Endpoints::new(&BTreeMap::new());
        for service in SERVICES {
            let url = endpoints.of(service).unwrap();
            assert_eq!(url.as_str(), format!("https://{service}.googleapis.com/"));
        }
        assert_eq!(endpoints.hosts().len(), SERVICES.len());
    }

    #[test]
    fn a_connection_replaces_them_paths_included() {
        let replaced = BTreeMap::from([
            ("all".to_owned(), Url::parse("http://127.0.0.1:5000/gcp/").unwrap()),
            ("sts".to_owned(), Url::parse("http://127.0.0.1:5001").unwrap()),
        ]);
        let endpoints = Endpoints::new(&replaced);
        assert_eq!(endpoints.of("container").unwrap().as_str(), "http://127.0.0.1:5000/gcp/");
        assert_eq!(endpoints.of("sts").unwrap().as_str(), "http://127.0.0.1:5001/");
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        let bad = BTreeMap::from([
            ("storage".to_owned(), Url::parse("http://127.0.0.1/").unwrap()),
            ("compute".to_owned(), Url::parse("ftp://127.0.0.1/").unwrap()),
            ("container".to_owned(), Url::parse("http://u:p@127.0.0.1/").unwrap()),
        ]);
        let mut findings = Findings::default();
        Endpoints::check(&bad, &mut findings);
        let error = findings.to_string();
        for field in ["endpoints.storage", "endpoints.compute", "endpoints.container"] {
            assert!(error.contains(field), "{error}");
        }
        assert!(!error.contains("u:p"));
    }
}
