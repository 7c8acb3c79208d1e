//! An operation as its user is told of it: stages call what they make as the cloud is to call it, users do not.

use pmks_driver::Subject;
use pmks_store::{Operation, Page, Resource, ResourceFilter, Result, Store};
use serde_json::Value;

/// The operation, what its stages are about called by our names.
pub(super) async fn in_own_names(store: &dyn Store, operation: &Operation) -> Result<Operation> {
    let mut told = operation.clone();
    let Some(uid) = operation.resource_uid else { return Ok(told) };
    let filter = ResourceFilter { parent: Some(uid), ..ResourceFilter::default() };
    let mut records = store.resources(&filter, Page::all()).await?;
    records.extend(store.resource(uid).await?);
    records.retain(|record| record.cloud_name.is_some());
    for stage in &mut told.stages {
        if let Some(subject) = stage.specification.get_mut("subject") {
            rename(subject, &records);
        }
    }
    Ok(told)
}

fn rename(subject: &mut Value, records: &[Resource]) {
    let Ok(about) = serde_json::from_value::<Subject>(subject.clone()) else { return };
    let is_it = |record: &&Resource| record.kind == about.kind && record.name_at_cloud() == about.name;
    if let (Some(record), Some(name)) = (records.iter().find(is_it), subject.get_mut("name")) {
        *name = Value::from(record.name.clone());
    }
}
