//! The query of a read or change, as Kubernetes names its parts. Values that are not numbers count as absent, as the
//! API server's own conversion does for most of them.

use std::collections::BTreeMap;

/// The parts of a query that this back knows.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the query by itself")]
pub(super) struct Options {
    pub(super) watch: bool,
    pub(super) label_selector: String,
    pub(super) field_selector: String,
    pub(super) limit: Option<usize>,
    pub(super) continuation: Option<String>,
    pub(super) resource_version: Option<u64>,
    pub(super) exact: bool,
    pub(super) timeout_seconds: Option<u64>,
    pub(super) bookmarks: bool,
    pub(super) send_initial_events: bool,
    pub(super) dry_run: bool,
}

impl Options {
    pub(super) fn parse(query: &str) -> Self {
        let pairs: BTreeMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let text = |name: &str| pairs.get(name).cloned().unwrap_or_default();
        let set = |name: &str| matches!(text(name).as_str(), "true" | "1");
        Self {
            watch: set("watch"),
            label_selector: text("labelSelector"),
            field_selector: text("fieldSelector"),
            limit: text("limit").parse().ok().filter(|limit| *limit > 0),
            continuation: Some(text("continue")).filter(|token| !token.is_empty()),
            // Version 0 means «any»: here always the newest.
            resource_version: text("resourceVersion").parse().ok().filter(|version| *version > 0),
            exact: text("resourceVersionMatch") == "Exact",
            timeout_seconds: text("timeoutSeconds").parse().ok().filter(|seconds| *seconds > 0),
            bookmarks: set("allowWatchBookmarks"),
            send_initial_events: set("sendInitialEvents"),
            dry_run: !text("dryRun").is_empty(),
        }
    }

    /// The same, of one object only: how a watch of one object is told.
    pub(super) fn of_one(mut self, name: &str) -> Self {
        self.field_selector = format!("metadata.name={name}");
        self
    }
}
