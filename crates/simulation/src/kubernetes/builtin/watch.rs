//! Watches: a stream of what changes after a version, one JSON event a line, until its time is over.
//! Never silent about what it missed: a watch that fell too far behind is told to list again.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::Sleep;

use super::negotiation::Form;
use super::options::Options;
use super::read::form_of;
use super::route::Place;
use super::selector::Selector;
use super::table;
use crate::kubernetes::ClusterState;
use crate::kubernetes::back::{Request, Response};
use crate::kubernetes::state::store::{Change, Store};
use crate::kubernetes::status::Status;

/// How long a watch lasts that does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(30);
/// How often a quiet watch is told how far it has come.
const BOOKMARK_EVERY: Duration = Duration::from_mins(1);

struct Watch {
    state: ClusterState,
    place: Place,
    selector: Selector,
    form: Form,
    query: String,
    bookmarks: bool,
    changes: Receiver<u64>,
    /// Changes up to this version have been told.
    told: u64,
    pending: VecDeque<Bytes>,
    end: Pin<Box<Sleep>>,
    ended: bool,
    columns_told: bool,
}

pub(super) fn start(
    state: &ClusterState,
    place: &Place,
    request: &Request,
    options: &Options,
) -> Result<Response, Status> {
    let timeout =
        options.timeout_seconds.map_or(DEFAULT_TIMEOUT, Duration::from_secs).min(DEFAULT_TIMEOUT * 2);
    let mut watch = Watch {
        state: state.clone(),
        place: place.clone(),
        selector: Selector::parse(place, options)?,
        form: form_of(request)?,
        query: request.query.clone(),
        bookmarks: options.bookmarks,
        changes: state.changes(),
        told: 0,
        pending: VecDeque::new(),
        end: Box::pin(tokio::time::sleep(timeout)),
        ended: false,
        columns_told: false,
    };
    watch.begin(options)?;
    let frames = stream::unfold(watch, |mut watch| async move {
        let line = watch.next().await?;
        Some((Ok::<_, io::Error>(Frame::data(line)), watch))
    });
    let mut response = http::Response::new(StreamBody::new(frames).boxed_unsync());
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    Ok(response)
}

impl Watch {
    /// Begins after the asked version, or with all that is there.
    fn begin(&mut self, options: &Options) -> Result<(), Status> {
        let state = self.state.clone();
        let (current, present) = state.read(|world| (world.store.version(), self.present(&world.store)));
        match options.resource_version {
            Some(asked) if asked > current => return Err(Status::too_new(asked, current)),
            Some(asked) if !options.send_initial_events => self.told = asked,
            _ => {
                self.told = current;
                for object in present {
                    self.tell("ADDED", &object);
                }
                if options.send_initial_events && options.bookmarks {
                    self.bookmark(&json!({"k8s.io/initial-events-end": "true"}));
                }
            }
        }
        Ok(())
    }

    fn present(&self, store: &Store) -> Vec<Arc<Value>> {
        store
            .list(self.place.resource, self.place.namespace.as_deref())
            .filter(|(_, object)| self.selector.matches(object))
            .map(|(_, object)| Arc::clone(object))
            .collect()
    }

    /// The next line, or the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.pending.pop_front() {
                return Some(line);
            }
            if self.ended {
                return None;
            }
            // Seen before the store is read: a change in between wakes the wait below at once.
            self.changes.borrow_and_update();
            self.catch_up();
            if self.pending.is_empty() {
                self.wait().await;
            }
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            () = &mut self.end => {
                self.ended = true;
                self.bookmark(&Value::Null);
            }
            changed = self.changes.changed() => self.ended = changed.is_err(),
            () = tokio::time::sleep(BOOKMARK_EVERY), if self.bookmarks => self.bookmark(&Value::Null),
        }
    }

    fn catch_up(&mut self) {
        let state = self.state.clone();
        let (current, changes) = state.read(|world| {
            let changes: Option<Vec<Change>> =
                world.store.changes_after(self.told).map(|changes| changes.cloned().collect());
            (world.store.version(), changes)
        });
        let Some(changes) = changes else {
            let status = Status::expired(format!("too old resource version: {} ({current})", self.told));
            self.line("ERROR", &status.object());
            self.ended = true;
            return;
        };
        for change in changes {
            if self.is_here(&change)
                && let Some(kind) = self.kind_of(&change)
            {
                self.tell(kind, &change.object);
            }
        }
        self.told = current;
    }

    fn is_here(&self, change: &Change) -> bool {
        let namespace = self.place.namespace.as_deref();
        change.key.plural == self.place.resource.plural
            && namespace.is_none_or(|namespace| change.key.namespace == namespace)
    }

    /// An object that no longer matches the selector is gone for this watch, and the other way round.
    fn kind_of(&self, change: &Change) -> Option<&'static str> {
        let before = change.before.as_ref().is_some_and(|object| self.selector.matches(object));
        let now = !change.deleted && self.selector.matches(&change.object);
        match (before, now) {
            (false, false) => None,
            (false, true) => Some("ADDED"),
            (true, true) => Some("MODIFIED"),
            (true, false) => Some("DELETED"),
        }
    }

    fn tell(&mut self, kind: &str, object: &Arc<Value>) {
        let told = match self.form {
            Form::Whole => Value::clone(object),
            Form::Metadata => table::metadata_of(object),
            Form::Table => {
                let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                let rows = [Arc::clone(object)];
                let columns = !std::mem::replace(&mut self.columns_told, true);
                table::table(self.place.resource, &rows, &metadata, &self.query, self.state.now(), columns)
            }
        };
        self.line(kind, &told);
    }

    fn bookmark(&mut self, annotations: &Value) {
        if !self.bookmarks {
            return;
        }
        let resource = self.place.resource;
        let mut metadata = json!({"resourceVersion": self.told.to_string(), "creationTimestamp": null});
        if !annotations.is_null() {
            metadata["annotations"] = annotations.clone();
        }
        let mark = json!({"kind": resource.kind, "apiVersion": resource.api_version(), "metadata": metadata});
        let mark = match self.form {
            Form::Whole => mark,
            Form::Metadata => table::metadata_of(&mark),
            Form::Table => {
                table::table(resource, &[Arc::new(mark)], &metadata, &self.query, self.state.now(), false)
            }
        };
        self.line("BOOKMARK", &mark);
    }

    fn line(&mut self, kind: &str, object: &Value) {
        let mut line = json!({"type": kind, "object": object}).to_string();
        line.push('\n');
        self.pending.push_back(line.into());
    }
}
