//! What the driver of a connection can do, in CB-Spider's words. What pmks does not serve is not there.

use pmks_model::OperationKind;
use serde_json::json;

use super::types;
use crate::call::{Answer, Call};
use crate::reply::Reply;

pub(super) async fn get(call: Call) -> Answer {
    let connection = call.connection()?;
    let can = call.capabilities(&connection).await?;
    let network = can.has(OperationKind::NetworkCreate);
    let tagged: Vec<&str> =
        types::words().filter(|(_, kind)| can.takes_tags(*kind)).map(|(word, _)| word).collect();
    let absent = [
        "PriceInfoHandler",
        "VMHandler",
        "DiskHandler",
        "MyImageHandler",
        "NLBHandler",
        "FileSystemHandler",
        "QuotaInfoHandler",
        "RDBMSHandler",
        "DBSpecHandler",
        "RDBMSMySQLHandler",
        "RDBMSMariaDBHandler",
        "RDBMSPostgreSQLHandler",
        "PublicIPHandler",
        "NICHandler",
        "EMULATED_VPC",
        "SINGLE_VPC",
    ];
    let mut answer = json!({
        "ZoneBasedControl": can.zonal_subnets,
        "RegionZoneHandler": true,
        "ImageHandler": true,
        "VMSpecHandler": true,
        "VPCHandler": network,
        "SecurityHandler": can.has(OperationKind::SecurityGroupCreate),
        "KeyPairHandler": can.has(OperationKind::KeyPairCreate),
        "ClusterHandler": can.has(OperationKind::ClusterCreate),
        "TagHandler": !tagged.is_empty(),
        "TagSupportResourceType": tagged,
        "VPC_CIDR": network,
    });
    if let Some(fields) = answer.as_object_mut() {
        fields.extend(absent.iter().map(|name| ((*name).to_owned(), false.into())));
    }
    Ok(Reply::Json(answer))
}
