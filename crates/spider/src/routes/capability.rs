//! What the driver of a connection can do, in CB-Spider's words. What pmks does not serve is not there, nor
//! is anything of a driver that nobody has here.

use pmks_driver::Capabilities;
use pmks_model::OperationKind;
use serde_json::json;

use super::types;
use crate::call::{Answer, Call};
use crate::reply::Reply;

pub(super) async fn get(call: Call) -> Answer {
    let can = call.pmks().pieces().capabilities(&call.connection()?).await?;
    let is = |what: fn(&Capabilities) -> bool| can.is_some_and(what);
    let network = is(|can| can.has(OperationKind::NetworkCreate));
    let tagged: Vec<&str> = types::words()
        .filter(|(_, kind)| can.is_some_and(|can| can.takes_tags(*kind)))
        .map(|(word, _)| word)
        .collect();
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
        // Whether there are zones to choose machines of, as everywhere that is known here.
        "ZoneBasedControl": can.is_some(),
        "RegionZoneHandler": can.is_some(),
        "ImageHandler": can.is_some(),
        "VMSpecHandler": can.is_some(),
        "VPCHandler": network,
        "SecurityHandler": is(|can| can.has(OperationKind::SecurityGroupCreate)),
        "KeyPairHandler": is(|can| can.has(OperationKind::KeyPairCreate)),
        "ClusterHandler": is(|can| can.has(OperationKind::ClusterCreate)),
        "TagHandler": !tagged.is_empty(),
        "TagSupportResourceType": tagged,
        "VPC_CIDR": network && is(|can| can.network_addresses),
    });
    if let Some(fields) = answer.as_object_mut() {
        fields.extend(absent.iter().map(|name| ((*name).to_owned(), false.into())));
    }
    Ok(Reply::Json(answer))
}
