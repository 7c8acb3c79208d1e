//! `pmks node`: the VMs of a cluster.

use super::{print_list, print_one, within};
use crate::app::App;
use crate::arguments::{InCluster, NodeCommand};
use crate::error::Result;
use crate::output::Kind;

pub(super) async fn run(app: &App, command: NodeCommand) -> Result<()> {
    match command {
        NodeCommand::List { within: InCluster { cluster } } => {
            print_list(app, within(app, &["clusters", &cluster, "nodes"])?, Kind::Node).await
        }
        NodeCommand::Get { name, within: InCluster { cluster } } => {
            print_one(app, within(app, &["clusters", &cluster, "nodes", &name])?, Kind::Node).await
        }
    }
}
