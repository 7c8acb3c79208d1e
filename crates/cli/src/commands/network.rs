//! `pmks network`.

use http::Method;
use pmks_api::NewNetwork;

use super::{body, delete, forget, import, pairs, print_list, print_one, retag, within};
use crate::app::App;
use crate::arguments::NetworkCommand;
use crate::client::Request;
use crate::error::Result;
use crate::mutations::carry_out;
use crate::output::Kind;

pub(super) async fn run(app: &App, command: NetworkCommand) -> Result<()> {
    match command {
        NetworkCommand::Create { name, cidr, subnets, tags, cloud, mutation } => {
            let network = NewNetwork {
                name,
                unique_cloud_name: cloud.unique_cloud_name,
                system_id: None,
                cidr,
                subnets: subnets.into_iter().map(|pairs| pairs.0).collect(),
                tags: pairs::texts("tag", &tags)?,
            };
            let request = Request::new(Method::POST, within(app, &["networks"])?).json(body(&network)?);
            carry_out(app, &mutation, request).await
        }
        NetworkCommand::Import(what) => import(app, within(app, &["networks"])?, &what, Kind::Network).await,
        NetworkCommand::List => print_list(app, within(app, &["networks"])?, Kind::Network).await,
        NetworkCommand::Unmanaged => {
            let path = within(app, &["networks"])?.query("managed", "false");
            print_list(app, path, Kind::Network).await
        }
        NetworkCommand::Get(what) => {
            print_one(app, within(app, &["networks", &what.name])?, Kind::Network).await
        }
        NetworkCommand::Update(what) => {
            retag(app, &what.mutation, within(app, &["networks", &what.name])?, &what.tags).await
        }
        NetworkCommand::Delete(what) => {
            let path = within(app, &["networks", &what.name])?;
            delete(app, &what.mutation, path, &format!("network {} with its subnets", what.name)).await
        }
        NetworkCommand::Forget(what) => {
            forget(app, what.own, within(app, &["networks", &what.name])?, &format!("network {}", what.name))
                .await
        }
    }
}
