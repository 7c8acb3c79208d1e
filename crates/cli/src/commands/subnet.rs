//! `pmks subnet`.

use http::Method;
use pmks_api::NewSubnet;

use super::{body, delete, forget, import, pairs, print_list, print_one, retag, within};
use crate::app::App;
use crate::arguments::{Import, SubnetCommand};
use crate::client::Request;
use crate::error::Result;
use crate::mutations::carry_out;
use crate::output::Kind;

pub(super) async fn run(app: &App, command: SubnetCommand) -> Result<()> {
    match command {
        SubnetCommand::Create { name, network, cidr, zone, cloud, tags, mutation } => {
            let (unique_cloud_name, tags) = (cloud.unique_cloud_name, pairs::texts("tag", &tags)?);
            let subnet = NewSubnet { name, unique_cloud_name, system_id: None, cidr, zone, tags };
            let path = within(app, &["networks", &network, "subnets"])?;
            carry_out(app, &mutation, Request::new(Method::POST, path).json(body(&subnet)?)).await
        }
        SubnetCommand::Import { name, network, system_id, own } => {
            let path = within(app, &["networks", &network, "subnets"])?;
            import(app, path, &Import { name, system_id, own }, Kind::Subnet).await
        }
        SubnetCommand::List { network } => {
            print_list(app, within(app, &["networks", &network, "subnets"])?, Kind::Subnet).await
        }
        SubnetCommand::Get { name, network } => {
            print_one(app, within(app, &["networks", &network, "subnets", &name])?, Kind::Subnet).await
        }
        SubnetCommand::Update { name, network, tags, mutation } => {
            let path = within(app, &["networks", &network, "subnets", &name])?;
            retag(app, &mutation, path, &tags).await
        }
        SubnetCommand::Delete { name, network, mutation } => {
            let path = within(app, &["networks", &network, "subnets", &name])?;
            delete(app, &mutation, path, &format!("subnet {name} of network {network}")).await
        }
        SubnetCommand::Forget { name, network, own } => {
            let path = within(app, &["networks", &network, "subnets", &name])?;
            forget(app, own, path, &format!("subnet {name}")).await
        }
    }
}
