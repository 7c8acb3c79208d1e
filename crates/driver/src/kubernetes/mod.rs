//! A small client of one cluster's own Kubernetes API: what a driver must know before a deletion, and the removal of
//! what makes the cloud's balancers.
//!
//! It asks once, with short limits, and says plainly when a cluster cannot be reached: the caller turns that into
//! «unknown». It never watches, never changes an object otherwise than by deleting it, and keeps no credential longer
//! than its owner does.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/api-concepts/>

mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pmks_transport::{
    AllowedHost, Bytes, Call, Client, ClientCertificate, ClientOptions, Effect, HeaderValue, Limits, Method,
    NoSigner, Response, SignContext, SignError, Signer, StatusCode, Transport, Url, header,
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use self::wire::{Object, Page, Said};
use crate::{ClusterCredential, DriverError, ErrorKind, Result};

/// How many objects a page holds.
const PAGE: &str = "500";
/// The longest list that is read: a cluster with more balancers than this is not of this world.
const MOST_PAGES: usize = 100;

/// Limits of a call: a cluster that does not answer within these is called unreachable.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(3),
    read: Duration::from_secs(10),
    total: Duration::from_secs(15),
    body_bytes: 16 * 1024 * 1024,
};

/// An object that makes balancers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A Service; only those of type `LoadBalancer` are listed.
    Service,
    /// An Ingress.
    Ingress,
    /// A Gateway of the Gateway API.
    Gateway,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 3] = [Self::Service, Self::Ingress, Self::Gateway];

    /// The word as Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Ingress => "Ingress",
            Self::Gateway => "Gateway",
        }
    }

    /// Where the API server has them, and their plural.
    fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Service => ("api/v1", "services"),
            Self::Ingress => ("apis/networking.k8s.io/v1", "ingresses"),
            Self::Gateway => ("apis/gateway.networking.k8s.io/v1", "gateways"),
        }
    }

    fn actions(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Service => ("kubernetes.ListServices", "kubernetes.GetService", "kubernetes.DeleteService"),
            Self::Ingress => {
                ("kubernetes.ListIngresses", "kubernetes.GetIngress", "kubernetes.DeleteIngress")
            }
            Self::Gateway => ("kubernetes.ListGateways", "kubernetes.GetGateway", "kubernetes.DeleteGateway"),
        }
    }
}

/// An object that makes balancers, as it stands in a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancedObject {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What tells it from another of the same name made later.
    pub uid: String,
    /// The host names and addresses that its balancers were given.
    pub addresses: Vec<String>,
    /// Whether it is already being deleted.
    pub deleting: bool,
}

/// A volume of a cluster that lives at the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersistentVolume {
    /// Its name in the cluster.
    pub name: String,
    /// The cloud's identifier of the disk, as the storage driver writes it (`vol-…`, a disk's name, its path).
    pub cloud_id: String,
    /// The storage driver, such as `ebs.csi.aws.com`.
    pub driver: String,
    /// The claim that it was made for, as `namespace/name`; empty if there is none.
    pub claim: String,
    /// Whether the cluster itself deletes the disk with the claim.
    pub reclaimed: bool,
}

/// One cluster's Kubernetes API. `Debug` shows its URL alone.
#[derive(Clone)]
pub struct ClusterApi {
    client: Client,
    endpoint: Url,
    provider: &'static str,
}

impl fmt::Debug for ClusterApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterApi").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}

impl ClusterApi {
    /// A client of the cluster behind `endpoint`, trusting `certificate_authority` (PEM; empty: the public ones).
    /// `pace` as in [`crate::ConnectionSpecification`]. Makes no call.
    ///
    /// # Errors
    /// `Unexpected` if the endpoint is no URL, is link-local, or a certificate is not PEM.
    pub fn new(
        transport: &Transport,
        provider: &'static str,
        access: &pmks_model::AccessInfo,
        credential: &ClusterCredential,
        pace: u32,
    ) -> Result<Self> {
        let unexpected = |says: String| DriverError::new(ErrorKind::Unexpected, provider, says);
        let endpoint = Url::parse(&access.endpoint)
            .map_err(|error| unexpected("the cluster's endpoint is no URL".to_owned()).caused_by(error))?;
        if pmks_transport::is_link_local(&endpoint) {
            return Err(unexpected(
                "the cluster's endpoint is link-local, where no cluster answers".to_owned(),
            ));
        }
        let (signer, certificate): (Arc<dyn Signer>, _) = match credential {
            ClusterCredential::Token { token, .. } => (Arc::new(Bearer(token.clone())), None),
            ClusterCredential::Certificate { certificate, key, .. } => {
                let read = ClientCertificate::from_pem(certificate, key.expose_secret());
                let unusable = "the cluster's client certificate cannot be used";
                let read = read.map_err(|error| unexpected(unusable.to_owned()).caused_by(error))?;
                (Arc::new(NoSigner), Some(read))
            }
        };
        let mut options = ClientOptions::new(provider, signer);
        options.client_certificate = certificate;
        endpoint.host_str().unwrap_or_default().clone_into(&mut options.account);
        options.limits = LIMITS;
        options.pace = pace;
        options.allowed_hosts = vec![AllowedHost::origin_of(&endpoint)];
        options.ca_certificate =
            Some(access.certificate_authority.clone()).filter(|pem| !pem.trim().is_empty());
        let client = transport.client(options).map_err(|error| {
            unexpected("the cluster's certificate authority cannot be used".to_owned()).caused_by(error)
        })?;
        Ok(Self { client, endpoint, provider })
    }

    /// The Services of type `LoadBalancer`, the Ingresses or the Gateways of all namespaces. A cluster that does not
    /// know the kind has none.
    ///
    /// # Errors
    /// `Unavailable` if the cluster cannot be reached; `Unauthenticated`, `Forbidden` if it does not let us in.
    pub async fn list(&self, kind: Kind) -> Result<Vec<BalancedObject>> {
        let (group, plural) = kind.place();
        let (action, ..) = kind.actions();
        let objects: Vec<Object> = self.all(action, &format!("{group}/{plural}")).await?;
        let balanced = |object: &Object| kind != Kind::Service || object.spec.kind == "LoadBalancer";
        Ok(objects.into_iter().filter(balanced).map(|object| object.balanced(kind)).collect())
    }

    /// One object; `None` if there is no such one.
    ///
    /// # Errors
    /// As of [`Self::list`].
    pub async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Option<BalancedObject>> {
        let (_, action, _) = kind.actions();
        let call = self.call(action, Effect::Read, Method::GET, &object_path(kind, namespace, name))?;
        match self.send(call, action).await? {
            None => Ok(None),
            Some(response) => Ok(Some(self.read::<Object>(action, &response)?.balanced(kind))),
        }
    }

    /// Deletes one object, and only the one with that uid. What is gone already is success; another one of that name
    /// is left alone.
    ///
    /// # Errors
    /// As of [`Self::list`]; `Replaced` if another object has the name now.
    pub async fn delete(&self, kind: Kind, namespace: &str, name: &str, uid: &str) -> Result<()> {
        let (.., action) = kind.actions();
        let mut call =
            self.call(action, Effect::Idempotent, Method::DELETE, &object_path(kind, namespace, name))?;
        if !uid.is_empty() {
            let options = serde_json::json!({
                "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid},
            });
            call = call.json(&options).map_err(|error| self.unsent(action, error))?;
        }
        self.send(call, action).await.map(drop)
    }

    /// The volumes whose disks live at the cloud.
    ///
    /// # Errors
    /// As of [`Self::list`].
    pub async fn persistent_volumes(&self) -> Result<Vec<PersistentVolume>> {
        let volumes: Vec<Object> =
            self.all("kubernetes.ListPersistentVolumes", "api/v1/persistentvolumes").await?;
        Ok(volumes.into_iter().filter_map(Object::persistent_volume).collect())
    }

    /// What tells a namespace from another of its name; `None` if there is none. That of `kube-system`, which stands as
    /// long as its cluster, tells clusters apart.
    ///
    /// # Errors
    /// As of [`Self::list`].
    pub async fn namespace_uid(&self, name: &str) -> Result<Option<String>> {
        let action = "kubernetes.GetNamespace";
        let call = self.call(action, Effect::Read, Method::GET, &format!("api/v1/namespaces/{name}"))?;
        match self.send(call, action).await? {
            None => Ok(None),
            Some(response) => Ok(Some(self.read::<Object>(action, &response)?.metadata.uid)),
        }
    }

    async fn all<T: DeserializeOwned>(&self, action: &'static str, path: &str) -> Result<Vec<T>> {
        let mut found = Vec::new();
        let mut next = String::new();
        for _ in 0..MOST_PAGES {
            let mut call = self.call(action, Effect::Read, Method::GET, path)?.query("limit", PAGE);
            if !next.is_empty() {
                call = call.query("continue", &next);
            }
            let Some(response) = self.send(call, action).await? else { return Ok(found) };
            let page: Page<T> = self.read(action, &response)?;
            if !page.kind.ends_with("List") {
                let says = "the cluster's answer is no list of Kubernetes'";
                return Err(DriverError::new(ErrorKind::Unexpected, self.provider, says).with_action(action));
            }
            found.extend(page.items.into_iter().flatten());
            next = page.metadata.next;
            if next.is_empty() {
                return Ok(found);
            }
        }
        let says = format!("more than {MOST_PAGES} pages of {path}");
        Err(DriverError::new(ErrorKind::Unexpected, self.provider, says).with_action(action))
    }

    fn call(&self, action: &'static str, effect: Effect, method: Method, path: &str) -> Result<Call> {
        let mut url = self.endpoint.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        Call::new("kubernetes", action, effect, method, url)
            .header_text(header::ACCEPT, "application/json")
            .map_err(|error| self.unsent(action, error))
    }

    /// The answer of a success; `None` where the API server itself says that there is no such thing.
    async fn send(&self, call: Call, action: &'static str) -> Result<Option<Response>> {
        let response = self.client.send(call).await.map_err(|error| {
            DriverError::new(
                ErrorKind::Unavailable,
                self.provider,
                "the cluster's Kubernetes API cannot be reached",
            )
            .with_action(action)
            .caused_by(error)
        })?;
        let kind = match response.status {
            status if status.is_success() => return Ok(Some(response)),
            StatusCode::NOT_FOUND if is_servers_own_404(&response) => return Ok(None),
            StatusCode::UNAUTHORIZED => ErrorKind::Unauthenticated,
            StatusCode::FORBIDDEN => ErrorKind::Forbidden { permission: None },
            StatusCode::CONFLICT => ErrorKind::Replaced,
            StatusCode::TOO_MANY_REQUESTS => {
                ErrorKind::Throttled { retry_after: pmks_transport::retry_after(&response.headers) }
            }
            status if status.is_server_error() => ErrorKind::Unavailable,
            _ => ErrorKind::Unexpected,
        };
        let said: Said = serde_json::from_slice(&response.body).unwrap_or_default();
        let message = if said.message.is_empty() {
            format!("the cluster answered {}", response.status.as_u16())
        } else {
            said.message
        };
        let error = DriverError::new(kind, self.provider, message).with_action(action);
        Err(error.with_answer(response.status.as_u16(), said.reason, None))
    }

    fn read<T: DeserializeOwned>(&self, action: &'static str, response: &Response) -> Result<T> {
        serde_json::from_slice(&response.body).map_err(|error| {
            DriverError::new(ErrorKind::Unexpected, self.provider, "the cluster's answer cannot be read")
                .with_action(action)
                .caused_by(error)
        })
    }

    fn unsent(&self, action: &'static str, error: pmks_transport::Error) -> DriverError {
        DriverError::new(ErrorKind::Unexpected, self.provider, "the request cannot be made")
            .with_action(action)
            .caused_by(error)
    }
}

/// A `Status` for an object that is not there, a plain text for an API group that the cluster does not have. A proxy's
/// page is neither, and would pass for an empty cluster.
fn is_servers_own_404(response: &Response) -> bool {
    let said: Said = serde_json::from_slice(&response.body).unwrap_or_default();
    said.kind == "Status" || response.body.starts_with(b"404 page not found")
}

fn object_path(kind: Kind, namespace: &str, name: &str) -> String {
    let (group, plural) = kind.place();
    format!("{group}/namespaces/{namespace}/{plural}/{name}")
}

/// Adds the bearer token to each try.
struct Bearer(SecretString);

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer")
    }
}

#[async_trait]
impl Signer for Bearer {
    async fn sign(
        &self,
        request: &mut http::Request<Bytes>,
        _: SignContext<'_>,
    ) -> std::result::Result<(), SignError> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0.expose_secret()))
            .map_err(|_| SignError::credential("the cluster's token cannot stand in a header"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
