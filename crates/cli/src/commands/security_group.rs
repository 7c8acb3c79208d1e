//! `pmks security-group`.

use http::Method;
use serde_json::{Value, json};

use super::{delete, forget, import, pairs, print_list, print_one, retag, within};
use crate::app::App;
use crate::arguments::{RuleBody, RulePairs, SecurityGroupCommand};
use crate::client::Request;
use crate::error::Result;
use crate::mutations::carry_out;
use crate::output::Kind;

pub(super) async fn run(app: &App, command: SecurityGroupCommand) -> Result<()> {
    match command {
        SecurityGroupCommand::Create { name, network, rules, cloud, tags, mutation } => {
            let tags = pairs::texts("tag", &tags)?;
            let mut group = json!({"name": name, "network": network, "rules": bodies(rules), "tags": tags});
            if let (Some(unique), Value::Object(fields)) = (cloud.unique_cloud_name, &mut group) {
                fields.insert("uniqueCloudName".to_owned(), unique.into());
            }
            let request = Request::new(Method::POST, within(app, &["securityGroups"])?).json(group);
            carry_out(app, &mutation, request).await
        }
        SecurityGroupCommand::Import(what) => {
            import(app, within(app, &["securityGroups"])?, &what, Kind::SecurityGroup).await
        }
        SecurityGroupCommand::List => {
            print_list(app, within(app, &["securityGroups"])?, Kind::SecurityGroup).await
        }
        SecurityGroupCommand::Unmanaged => {
            let path = within(app, &["securityGroups"])?.query("managed", "false");
            print_list(app, path, Kind::SecurityGroup).await
        }
        SecurityGroupCommand::Get(what) => {
            print_one(app, within(app, &["securityGroups", &what.name])?, Kind::SecurityGroup).await
        }
        SecurityGroupCommand::Update { name, tags, mutation, .. } if !tags.is_empty() => {
            retag(app, &mutation, within(app, &["securityGroups", &name])?, &tags).await
        }
        SecurityGroupCommand::Update { name, add, remove, mutation, .. } => {
            let path = within(app, &["securityGroups", &name, "rules"])?;
            let rules = json!({"add": bodies(add), "remove": bodies(remove)});
            carry_out(app, &mutation, Request::new(Method::POST, path).json(rules)).await
        }
        SecurityGroupCommand::Delete(what) => {
            let path = within(app, &["securityGroups", &what.name])?;
            delete(app, &what.mutation, path, &format!("security group {}", what.name)).await
        }
        SecurityGroupCommand::Forget(what) => {
            let path = within(app, &["securityGroups", &what.name])?;
            forget(app, what.own, path, &format!("security group {}", what.name)).await
        }
    }
}

fn bodies(rules: Vec<RulePairs>) -> Vec<RuleBody> {
    rules.into_iter().map(|pairs| pairs.0).collect()
}
