//! What an import of `/v1` would come to, also at a connection config that is yet to be put: for whoever moves here.

use pmks_core::{Import, ImportCluster, ImportPlan, ImportResource};
use pmks_model::{Failure, FailureKind, ResourceKind};
use serde_json::{Value, json};

use super::{connection_configs, pieces};
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::fields::Fields;
use crate::reply::Reply;

/// What `Import` of the body would come to at the config once those of `With` are put; imports nothing.
pub(super) async fn plan(call: Call) -> Answer {
    let (row, _) = connection_configs::read(&call, &call.body)?;
    let others = pieces::with(&call)?;
    let import = read(&call.body.part("Import")?)?;
    match call.pmks().pieces().plan_import(&call.caller, others, row, import).await {
        Ok(planned) => Ok(Reply::Json(show(&planned))),
        Err(failure) if failure.kind == FailureKind::NotAllowed => Err(failure.into()),
        Err(failure) => Ok(Reply::Json(json!({"Refused": refused(&failure)}))),
    }
}

fn read(import: &Fields) -> Result<Import, Refusal> {
    let asked = resource(import)?;
    let kind = import.required("Kind")?;
    match ResourceKind::ALL.into_iter().find(|known| known.as_str() == kind) {
        Some(ResourceKind::Cluster) => {
            let groups = import.parts("NodeGroups")?.unwrap_or_default();
            Ok(Import::Cluster(ImportCluster {
                name: asked.name,
                system_id: asked.system_id,
                take_over: import.flag("TakeOver")?.unwrap_or_default(),
                node_groups: groups.iter().map(resource).collect::<Result<_, _>>()?,
                ..ImportCluster::default()
            }))
        }
        Some(ResourceKind::Connection | ResourceKind::NodeGroup) | None => {
            Err(Refusal::invalid(format!("Import.Kind: {kind:?} is nothing that is imported by itself")))
        }
        Some(kind) => Ok(Import::Part { kind, network: import.text("Network")?, asked }),
    }
}

fn resource(import: &Fields) -> Result<ImportResource, Refusal> {
    Ok(ImportResource { name: import.text("NameId")?, system_id: import.text("SystemId")? })
}

fn show(planned: &ImportPlan) -> Value {
    let known =
        planned.known.as_ref().map(|known| json!({"NameId": known.name_id, "SystemId": known.system_id}));
    json!({"Place": planned.place, "SystemId": planned.system_id, "Known": known})
}

/// What the import would be refused with, as `/v1` says it.
fn refused(failure: &Failure) -> Value {
    let finding = |finding: &pmks_model::Finding| {
        let missing = finding
            .missing
            .as_ref()
            .map(|missing| json!({"kind": missing.kind.as_str(), "name": missing.name}));
        json!({"field": finding.field, "says": finding.says.to_string(), "missing": missing})
    };
    let kind = failure.kind.as_str();
    json!({
        "type": format!("/docs/errors/{kind}"),
        "title": kind,
        "status": 0,
        "code": kind,
        "detail": failure.detail,
        "findings": failure.findings.iter().map(finding).collect::<Vec<_>>(),
        "fix": failure.fix,
        "provider": failure.provider,
        "action": failure.action,
        "providerStatus": failure.provider_status,
        "providerCode": failure.provider_code,
        "providerMessage": failure.provider_message,
        "providerRequestId": failure.provider_request_id,
    })
}
