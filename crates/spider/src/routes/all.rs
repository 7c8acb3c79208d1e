//! What is known here beside what is at the cloud, in the shapes that every `all…` route has.

use serde_json::{Value, json};

use crate::reply::Reply;

/// What both know, what only we know, what only the cloud knows.
#[derive(Default)]
pub(super) struct Sides {
    pub(super) mapped: Vec<Value>,
    pub(super) only_here: Vec<Value>,
    pub(super) only_cloud: Vec<Value>,
}

impl Sides {
    /// Each by its names alone.
    pub(super) fn list(self) -> Reply {
        Reply::Json(json!({"AllList": {
            "MappedList": self.mapped, "OnlySpiderList": self.only_here, "OnlyCSPList": self.only_cloud,
        }}))
    }

    /// Each whole.
    pub(super) fn infos(self, kind: &str) -> Reply {
        Reply::Json(json!({"ResourceType": kind, "AllListInfo": {
            "MappedInfoList": self.mapped, "OnlySpiderList": self.only_here, "OnlyCSPInfoList": self.only_cloud,
        }}))
    }
}

/// The name under which something at the cloud is taken over in order to be removed: the last part of its identifier.
pub(super) fn name_of(id: &str) -> String {
    id.rsplit(['/', ':']).next().unwrap_or(id).to_owned()
}
