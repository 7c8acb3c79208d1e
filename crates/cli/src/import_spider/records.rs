//! CB-Spider's four records, as the bodies by which they are put here.

use pmks_meta_database::{MetaDatabase, RowKind};
use serde_json::json;

use super::step::{Piece, Step, What};

/// A record's kind, and its resource in `/spider`'s paths.
pub(super) type Resource = (RowKind, &'static str);

const DRIVER: Resource = (RowKind::Driver, "driver");
const CREDENTIAL: Resource = (RowKind::Credential, "credential");
const REGION: Resource = (RowKind::Region, "region");
const CONNECTION_CONFIG: Resource = (RowKind::ConnectionConfig, "connectionconfig");

/// A step for each of them, pieces before what is made of them.
pub(super) fn records(meta: &MetaDatabase) -> Vec<Step> {
    let mut steps = Vec::new();
    for driver in &meta.drivers {
        let body = json!({
            "DriverName": driver.name,
            "ProviderName": driver.provider,
            "DriverLibFileName": driver.library,
        });
        steps.push(Step::of_record(DRIVER, &driver.name, &driver.provider, body));
    }
    for credential in &meta.credentials {
        let body = json!({
            "CredentialName": credential.name,
            "ProviderName": credential.provider,
            "KeyValueInfoList": [],
        });
        let mut step = Step::of_record(CREDENTIAL, &credential.name, &credential.provider, body);
        if let What::Record(record) = &mut step.what {
            record.secrets.clone_from(&credential.values);
        }
        steps.push(step);
    }
    for region in &meta.regions {
        let pairs = region.values.iter().map(|pair| json!({"Key": pair.key, "Value": pair.value}));
        let body = json!({
            "RegionName": region.name,
            "ProviderName": region.provider,
            "KeyValueInfoList": pairs.collect::<Vec<_>>(),
            "AvailableZoneList": region.zones,
        });
        steps.push(Step::of_record(REGION, &region.name, &region.provider, body));
    }
    for config in &meta.connection_configs {
        let body = json!({
            "ConfigName": config.name,
            "ProviderName": config.provider,
            "DriverName": config.driver,
            "CredentialName": config.credential,
            "RegionName": config.region,
        });
        let mut step = Step::of_record(CONNECTION_CONFIG, &config.name, &config.provider, body);
        if let What::Record(record) = &mut step.what {
            record.made_of = vec![
                Piece::of(DRIVER, &config.driver),
                Piece::of(CREDENTIAL, &config.credential),
                Piece::of(REGION, &config.region),
            ];
        }
        steps.push(step);
    }
    steps
}
