//! `pmks node`: the VMs of a cluster.

use serde_json::{Value, json};

use super::{print_list, print_one, within};
use crate::app::App;
use crate::arguments::{InCluster, NodeCommand, Output};
use crate::client::Path;
use crate::error::Result;
use crate::output::{self, Kind};

pub(super) async fn run(app: &App, command: NodeCommand) -> Result<()> {
    match command {
        NodeCommand::List { within: InCluster { cluster } } => {
            print_list(app, within(app, &["clusters", &cluster, "nodes"])?, Kind::Node).await
        }
        NodeCommand::Metrics { name, metric, within: InCluster { cluster }, interval_minutes, hours } => {
            let path = within(app, &["clusters", &cluster, "nodes", &name, "metrics", &metric])?;
            let path = path
                .query("intervalMinutes", &interval_minutes.to_string())
                .query("hours", &hours.to_string());
            print_metrics(app, path).await
        }
        NodeCommand::Get { name, within: InCluster { cluster } } => {
            print_one(app, within(app, &["clusters", &cluster, "nodes", &name])?, Kind::Node).await
        }
    }
}

/// A row a value, each with the unit; as JSON the whole answer.
async fn print_metrics(app: &App, path: Path) -> Result<()> {
    let told = app.session().await?.client.get(path).await?;
    if matches!(app.form().output, Output::Json | Output::Yaml) {
        return output::item(app.form(), Kind::MetricValue, &told);
    }
    let values = told.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
    let rows: Vec<Value> = values
        .into_iter()
        .map(|value| json!({"at": value.get("at"), "value": value.get("value"), "unit": told.get("unit")}))
        .collect();
    output::items(app.form(), Kind::MetricValue, &rows)
}
