//! Pages of a list.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of a list, ordered by uid. A page token survives inserts and deletes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// The items; never null.
    pub items: Vec<T>,
    /// What to ask the next page with; absent: this was the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}
