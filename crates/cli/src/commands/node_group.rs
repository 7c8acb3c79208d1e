//! `pmks node-group`.

use http::Method;
use pmks_api::UpgradeNodeGroup;

use super::{body, delete, print_list, print_one, within};
use crate::app::App;
use crate::arguments::{
    InCluster, NodeGroupAdd, NodeGroupBody, NodeGroupCommand, NodeGroupScale, ScaleBody, Sizes, scaling,
};
use crate::client::Request;
use crate::error::{Error, Result};
use crate::mutations::carry_out;
use crate::output::Kind;

pub(super) async fn run(app: &App, command: NodeGroupCommand) -> Result<()> {
    match command {
        NodeGroupCommand::Add(add) => self::add(app, *add).await,
        NodeGroupCommand::List { within: InCluster { cluster } } => {
            print_list(app, within(app, &["clusters", &cluster, "nodeGroups"])?, Kind::NodeGroup).await
        }
        NodeGroupCommand::Get { name, within: InCluster { cluster } } => {
            print_one(app, within(app, &["clusters", &cluster, "nodeGroups", &name])?, Kind::NodeGroup).await
        }
        NodeGroupCommand::Scale(scale) => self::scale(app, scale).await,
        NodeGroupCommand::Upgrade {
            name,
            within: InCluster { cluster },
            kubernetes_version,
            force,
            mutation,
        } => {
            let upgrade = UpgradeNodeGroup { version: kubernetes_version, force };
            let path = within(app, &["clusters", &cluster, "nodeGroups", &name, "upgrade"])?;
            carry_out(app, &mutation, Request::new(Method::POST, path).json(body(&upgrade)?)).await
        }
        NodeGroupCommand::Remove { name, within: InCluster { cluster }, mutation } => {
            let path = within(app, &["clusters", &cluster, "nodeGroups", &name])?;
            delete(app, &mutation, path, &format!("node group {name} of cluster {cluster}")).await
        }
    }
}

async fn add(app: &App, add: NodeGroupAdd) -> Result<()> {
    let group = NodeGroupBody {
        name: add.name,
        unique_cloud_name: add.cloud.unique_cloud_name,
        version: add.kubernetes_version,
        machine_type: add.machine_type,
        image: add.image,
        root_disk_type: add.root_disk_type,
        root_disk_size_gib: add.root_disk_size_gib,
        key_pair: add.key_pair,
        scaling: scaling(add.auto_scaling, add.sizes.min, add.sizes.max, add.sizes.desired),
    };
    let path = within(app, &["clusters", &add.within.cluster, "nodeGroups"])?;
    carry_out(app, &add.mutation, Request::new(Method::POST, path).json(body(&group)?)).await
}

async fn scale(app: &App, scale: NodeGroupScale) -> Result<()> {
    let NodeGroupScale { name, within: InCluster { cluster }, sizes, auto_scaling, mutation } = scale;
    let Sizes { min, max, desired } = sizes;
    let change = ScaleBody { auto_scaling, min, max, desired };
    if change == ScaleBody::default() {
        return Err(Error::usage("nothing to change: name --min, --max, --desired or --auto-scaling"));
    }
    let path = within(app, &["clusters", &cluster, "nodeGroups", &name, "scale"])?;
    carry_out(app, &mutation, Request::new(Method::POST, path).json(body(&change)?)).await
}
