//! From the facade's views to the bodies of `/v1`, and from bodies to what the facade is asked. Pure.

mod asked;
mod cluster;
mod connection;
mod discovery;
mod installation;
mod network;
mod node_group;
mod operation;
mod provider;

pub(crate) use asked::{
    import_cluster, import_of, new_cluster, new_connection, new_key_pair, new_network, new_node_group,
    new_security_group, new_subnet, rules, scaling_change, upgrade_targets,
};
pub(crate) use cluster::{access_token, children, unmanaged, written_cluster};
pub(crate) use connection::{connection, prerequisites, validation};
pub(crate) use discovery::{discovered, image, machine_type, region, version};
pub(crate) use installation::{api_token, audit_entry, created_api_token, new_api_token};
pub(crate) use network::{key_pair, network, security_group, subnet};
pub(crate) use node_group::{node, node_group, node_metrics};
pub(crate) use operation::{operation, plan};
pub(crate) use provider::provider;

use std::sync::Arc;

use jiff::Timestamp;
use pmks_api as api;
use pmks_core::Page;
use pmks_model::{Failure, Iid, KeyValueList};

use crate::refused::status;

/// A failure as it is shown, without the request's id.
pub(crate) fn problem(failure: &Failure) -> api::Problem {
    let finding = |finding: &pmks_model::Finding| api::Finding {
        field: finding.field.clone(),
        says: finding.says.to_string(),
        missing: finding.missing.as_ref().map(|missing| api::Missing {
            kind: missing.kind.as_str().to_owned(),
            name: missing.name.clone(),
        }),
    };
    let kind = failure.kind.as_str();
    api::Problem {
        r#type: format!("/docs/errors/{kind}"),
        title: title(kind).to_owned(),
        status: status(failure).as_u16(),
        detail: failure.detail.clone(),
        code: kind.to_owned(),
        field: failure.findings.iter().next().map(|finding| finding.field.clone()),
        findings: failure.findings.iter().map(finding).collect(),
        provider: failure.provider.clone(),
        action: failure.action.clone(),
        provider_status: failure.provider_status,
        provider_code: failure.provider_code.clone(),
        provider_message: failure.provider_message.clone(),
        provider_request_id: failure.provider_request_id.clone(),
        fix: failure.fix.clone(),
        checks: Vec::new(),
        request_id: None,
    }
}

/// The first line of the kind's page, after the kind.
fn title(kind: &str) -> &str {
    let page = api::error_page(kind).and_then(|page| page.lines().next());
    page.and_then(|line| line.split_once(": ")).map_or(kind, |(_, title)| title)
}

/// A list that has one page.
pub(crate) fn whole_list<V, B>(items: Vec<V>, body: impl Fn(V) -> B) -> api::List<B> {
    api::List { items: items.into_iter().map(body).collect(), next_page_token: None }
}

/// A page of a list.
pub(crate) fn list<V, B>(page: Page<V>, body: impl Fn(V) -> B) -> api::List<B> {
    api::List { items: page.items.into_iter().map(body).collect(), next_page_token: page.next_page_token }
}

/// The same of items that are JSON already.
pub(crate) fn written_list(page: &Page<Arc<str>>) -> String {
    let length: usize = page.items.iter().map(|item| item.len() + 1).sum();
    let mut list = String::with_capacity(length + 256);
    list.push_str("{\"items\":[");
    for (index, item) in page.items.iter().enumerate() {
        if index > 0 {
            list.push(',');
        }
        list.push_str(item);
    }
    list.push(']');
    if let Some(token) = &page.next_page_token {
        list.push_str(",\"nextPageToken\":");
        list.push_str(&serde_json::Value::from(token.as_str()).to_string());
    }
    list.push('}');
    list
}

fn iid(iid: Iid) -> api::Iid {
    api::Iid { name_id: iid.name_id, system_id: iid.system_id }
}

fn iids(iids: Vec<Iid>) -> Vec<api::Iid> {
    iids.into_iter().map(iid).collect()
}

fn key_values(list: KeyValueList) -> Vec<api::KeyValue> {
    list.0.into_iter().map(|entry| api::KeyValue { key: entry.key, value: entry.value }).collect()
}

fn time(at: Timestamp) -> String {
    at.to_string()
}

fn some_time(at: Option<Timestamp>) -> Option<String> {
    at.map(time)
}

/// The word of a unit-like value, as JSON writes it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pmks_model::FailureKind;

    use super::*;

    #[test]
    fn a_written_list_is_a_list() {
        for token in [None, Some("bm8\"".to_owned())] {
            for count in [0, 1, 3] {
                let items: Vec<u32> = (0..count).collect();
                let written = items.iter().map(|item| Arc::from(item.to_string())).collect();
                let written = written_list(&Page { items: written, next_page_token: token.clone() });
                let list = api::List { items, next_page_token: token.clone() };
                assert_eq!(written, serde_json::to_string(&list).unwrap());
            }
        }
    }

    #[test]
    fn every_kind_has_a_page_and_a_title() {
        for kind in FailureKind::ALL {
            let problem = problem(&Failure::new(kind, "why"));
            assert_eq!((problem.code.as_str(), problem.detail.as_str()), (kind.as_str(), "why"));
            assert_ne!(problem.title, problem.code, "{kind} has no page");
        }
    }
}
