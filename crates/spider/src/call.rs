//! One request: who asks, at which path, with what; and the ways of core that many routes take.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use pmks_core::{Caller, ClusterFilter, ClusterView, ConnectionView, Page, PageRequest, Pmks};
use pmks_driver::Capabilities;
use pmks_model::FailureKind;

use crate::Refusal;
use crate::fields::Fields;
use crate::reply::Reply;
use crate::router::Settings;

/// What a route answers.
pub(crate) type Answer = std::result::Result<Reply, Refusal>;

/// What a route is.
pub(crate) type Handler = fn(Call) -> BoxFuture<'static, Answer>;

/// One request.
pub(crate) struct Call {
    pub(crate) settings: Arc<Settings>,
    pub(crate) caller: Caller,
    /// The names in the path, in their order.
    pub(crate) path: Vec<String>,
    pub(crate) query: Fields,
    pub(crate) body: Fields,
    /// Whether the client does not want to wait.
    pub(crate) respond_async: bool,
    /// The URL at which the client reaches the server, without a slash at its end; empty: at none.
    pub(crate) server: String,
}

impl Call {
    pub(crate) fn pmks(&self) -> &Pmks {
        &self.settings.pmks
    }

    /// A name in the path.
    pub(crate) fn named(&self, index: usize) -> &str {
        self.path.get(index).map(String::as_str).unwrap_or_default()
    }

    /// What is asked for.
    pub(crate) fn asked(&self) -> Result<Fields, Refusal> {
        self.body.part("ReqInfo")
    }

    /// A text of the body, else of the query.
    pub(crate) fn either(&self, key: &str) -> Result<String, Refusal> {
        let text = self.body.text(key)?;
        if text.trim().is_empty() { self.query.text(key) } else { Ok(text) }
    }

    /// The connection that the request is for.
    pub(crate) fn connection(&self) -> Result<String, Refusal> {
        let name = self.either("ConnectionName")?.trim().to_owned();
        if name.is_empty() { Err(Refusal::invalid("connectionName is empty!")) } else { Ok(name) }
    }

    /// Whether what is made gets a unique name at the cloud; `None`: as is usual here.
    pub(crate) fn unique_names(&self) -> Result<Option<bool>, Refusal> {
        let mode = self.body.text("IDTransformMode")?;
        match mode.trim().to_ascii_uppercase().as_str() {
            "" => Ok(None),
            "ON" => Ok(Some(true)),
            "OFF" => Ok(Some(false)),
            _ => Err(Refusal::invalid(format!("IDTransformMode is ON or OFF, not {mode:?}"))),
        }
    }

    /// Whether what stands in the way is to be passed over: only `true` says so, as with CB-Spider, where every other word
    /// does no harm.
    ///
    /// Source: <https://github.com/cloud-barista/cb-spider/blob/master/api-runtime/common-runtime/ClusterManager.go>,
    /// `DeleteCluster`
    pub(crate) fn force(&self) -> Result<bool, Refusal> {
        match self.query.text("force")?.as_str() {
            "true" => Ok(true),
            "" | "false" => Ok(false),
            other => Err(Refusal::invalid(format!("force is true or false, not {other:?}"))),
        }
    }

    /// What the provider of a connection can do.
    pub(crate) async fn capabilities(&self, connection: &str) -> Result<&'static Capabilities, Refusal> {
        let view = self.pmks().connections().get(connection).await?;
        Ok(self.pmks().provider(&view.provider)?)
    }

    /// The connections of which it is known whose account they are: together they know of everything that is known, and
    /// no cloud is asked for the others.
    async fn connections(&self) -> Result<Vec<ConnectionView>, Refusal> {
        let all = whole(|page| async move { self.pmks().connections().list(&page).await }).await?;
        Ok(all.into_iter().filter(|view| view.account.is_some()).collect())
    }

    /// The connection that the path names, else all; none, where there is no such connection, nor any of its provider that
    /// was ever used: nothing is known at it, and its cloud need not be asked whose account it is.
    pub(crate) async fn of_path_or_all(&self) -> Result<Vec<String>, Refusal> {
        let one = match self.named(0) {
            "" => return Ok(self.connections().await?.into_iter().map(|view| view.name).collect()),
            one => one,
        };
        match self.pmks().connections().get(one).await {
            Ok(view) => {
                let used = self.connections().await?;
                let may_know = used.iter().any(|other| other.provider == view.provider);
                Ok(may_know.then_some(view.name).into_iter().collect())
            }
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(Vec::new()),
            Err(failure) => match self.pmks().pieces().lacking(one).await? {
                Some(_) => Ok(Vec::new()),
                None => Err(failure.into()),
            },
        }
    }

    /// The caller without the request's idempotency key: for what is done at once, and repeated changes nothing.
    pub(crate) fn keyless(&self) -> Caller {
        Caller { idempotency: None, ..self.caller.clone() }
    }

    /// Every cluster of a connection.
    pub(crate) async fn clusters(
        &self,
        connection: Option<&str>,
        max_age: Option<Duration>,
    ) -> Result<Vec<ClusterView>, Refusal> {
        whole(|page| async move {
            let filter = ClusterFilter { page, max_age };
            self.pmks().clusters().list(connection, &filter).await
        })
        .await
    }
}

/// All pages of a list.
pub(crate) async fn whole<T, F, R>(read: F) -> Result<Vec<T>, Refusal>
where
    F: Fn(PageRequest) -> R,
    R: Future<Output = pmks_core::Result<Page<T>>>,
{
    let (mut all, mut page_token) = (Vec::new(), None);
    loop {
        let page = read(PageRequest { page_size: Some(1000), page_token, ..PageRequest::default() }).await?;
        all.extend(page.items);
        match page.next_page_token {
            Some(token) => page_token = Some(token),
            None => return Ok(all),
        }
    }
}
