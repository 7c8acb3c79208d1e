//! Connection pools by TLS configuration. Redirects are never followed: a signature is for one URL.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Certificate, redirect};
use url::{Host, Url};

use crate::ClientCertificate;

/// Idle connections are dropped before load balancers commonly drop them: a request written into a closing connection
/// has an unknown outcome.
const IDLE: Duration = Duration::from_secs(20);

/// A shared connection whose peer is gone is found by a ping, before every call on it has waited out its limit.
const PING: Duration = Duration::from_secs(10);

/// What makes two connections interchangeable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    pub(crate) ca_certificate: Option<Arc<str>>,
    pub(crate) connect: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    wanted: Wanted,
    trust: Trust,
    loopback: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Trust {
    /// Plain HTTP: no certificate is ever looked at, so the machine's are not read.
    None,
    /// The machine's authorities, and the user's where given.
    Machine,
    /// The user's authority alone.
    Own,
}

/// Where a connection to a host comes from. What HTTP is made of stays behind this trait: else the compiler proves anew
/// for each future of each driver that all of it may pass from one thread to another, which doubles a driver's build.
pub(crate) trait Pool: Send + Sync {
    /// The pool for `url`. A loopback host is reached directly, whatever proxy the environment names. Who has a
    /// certificate gets a client of their own: another caller on their connection would pass for them.
    fn client(
        &self,
        wanted: &Wanted,
        url: &Url,
        certificate: Option<&ClientCertificate>,
    ) -> Result<reqwest::Client, reqwest::Error>;
}

/// The pools of the process.
#[derive(Debug)]
pub(crate) struct Pools {
    user_agent: String,
    clients: Mutex<HashMap<Key, reqwest::Client>>,
}

impl Pool for Pools {
    fn client(
        &self,
        wanted: &Wanted,
        url: &Url,
        certificate: Option<&ClientCertificate>,
    ) -> Result<reqwest::Client, reqwest::Error> {
        let loopback = is_loopback(url);
        let trust = match (url.scheme(), &wanted.ca_certificate) {
            ("http", _) => Trust::None,
            (_, Some(_)) if loopback => Trust::Own,
            _ => Trust::Machine,
        };
        let key = Key { wanted: wanted.clone(), trust, loopback };
        if let Some(certificate) = certificate.filter(|_| trust != Trust::None) {
            return self.build(&key, |builder| builder.identity(certificate.identity()));
        }
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = self.build(&key, |builder| builder)?;
        clients.insert(key, client.clone());
        Ok(client)
    }
}

impl Pools {
    pub(crate) fn new(user_agent: String) -> Self {
        // Fails only when one is installed already, which is then the one to use.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Self { user_agent, clients: Mutex::new(HashMap::new()) }
    }

    fn build(
        &self,
        key: &Key,
        proves: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<reqwest::Client, reqwest::Error> {
        let own = certificates(key.wanted.ca_certificate.as_deref())?;
        let base = || proves(self.base(key));
        match key.trust {
            Trust::None => base().tls_backend_preconfigured(trust_nobody()).build(),
            Trust::Own => base().tls_certs_only(own).build(),
            Trust::Machine if own.is_empty() => base().build(),
            // A machine without authorities of its own (a bare container) still has the user's.
            Trust::Machine => {
                let both = base().tls_certs_merge(own.clone()).build();
                both.or_else(|_| base().tls_certs_only(own).build())
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one HTTP client of the program")]
    fn base(&self, key: &Key) -> reqwest::ClientBuilder {
        let builder = reqwest::Client::builder()
            .user_agent(self.user_agent.clone())
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(key.wanted.connect)
            .pool_idle_timeout(IDLE)
            .http2_keep_alive_interval(IDLE)
            .http2_keep_alive_timeout(PING);
        if key.loopback { builder.no_proxy() } else { builder }
    }
}

/// Why a text holds no certificate to trust; `None`: it holds one.
pub fn not_a_certificate(pem: &str) -> Option<&'static str> {
    match certificates(Some(pem)) {
        Ok(found) if found.is_empty() => Some("holds no certificate"),
        Ok(_) => None,
        Err(_) => Some("is no PEM"),
    }
}

/// The certificates of a PEM text.
pub(crate) fn certificates(pem: Option<&str>) -> Result<Vec<Certificate>, reqwest::Error> {
    pem.map_or_else(|| Ok(Vec::new()), |pem| Certificate::from_pem_bundle(pem.as_bytes()))
}

fn trust_nobody() -> rustls::ClientConfig {
    rustls::ClientConfig::builder()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_from_names_that_only_look_like_it() {
        for (url, expected) in [
            ("http://127.0.0.1:1/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:1/", true),
            ("http://localhost/", true),
            ("http://eks.localhost/", true),
            ("http://localhost.example/", false),
            ("http://128.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn a_pool_is_shared_by_those_who_want_the_same() {
        let pools = Pools::new("pmks".into());
        let wanted = Wanted { ca_certificate: None, connect: Duration::from_secs(1) };
        for url in ["http://127.0.0.1:1/", "http://127.0.0.1:2/", "http://sim.example/"] {
            pools.client(&wanted, &Url::parse(url).unwrap(), None).unwrap();
        }
        assert_eq!(pools.clients.lock().unwrap().len(), 2);
    }
}
