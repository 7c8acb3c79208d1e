//! What CB-Spider knows of clouds by itself.

use std::future::{Ready, ready};

use serde_json::{Value, json};

use super::spellings::{self, Spelling};
use crate::call::{Answer, Call};
use crate::reply::Reply;

pub(super) fn list(_: Call) -> Ready<Answer> {
    let names = spellings::ALL.iter().map(|spelling| spelling.spider.into()).collect();
    ready(Ok(Reply::list("cloudos", names)))
}

/// Of a cloud that nobody knows every list is `null`.
pub(super) fn meta(call: Call) -> Ready<Answer> {
    let Call { path, .. } = call;
    let name = path.first().map(|name| name.to_uppercase()).unwrap_or_default();
    ready(Ok(Reply::Json(of(&name))))
}

fn of(name: &str) -> Value {
    let Some(known) = spellings::of(name) else {
        return json!({
            "Region": null, "Credential": null, "CredentialCSP": null, "RootDiskType": null, "RootDiskSize": null,
            "DiskType": null, "DiskSize": null, "IdMaxLength": null, "DefaultRegionToQuery": null,
        });
    };
    let region: &[&str] = if known.spider == "MOCK" { &["Region"] } else { &["Region", "Zone"] };
    json!({
        "Region": region,
        "Credential": keys(known, |(spider, _)| spider),
        "CredentialCSP": keys(known, |(_, native)| native),
        "RootDiskType": said(known.root_disk_types),
        "RootDiskSize": said(known.root_disk_sizes),
        "DiskType": said(&[]),
        "DiskSize": said(&[]),
        "IdMaxLength": said(known.longest_names),
        "DefaultRegionToQuery": said(known.default_region),
    })
}

fn keys(known: &Spelling, which: fn((&'static str, &'static str)) -> &'static str) -> Value {
    said(&known.credential.iter().map(|pair| which(*pair)).collect::<Vec<_>>())
}

/// What nobody said is one empty text.
fn said(words: &[&str]) -> Value {
    if words.is_empty() { json!([""]) } else { json!(words) }
}
