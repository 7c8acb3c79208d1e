//! What a cloud offers: versions, machine types, images, regions.

use super::within;
use crate::app::App;
use crate::arguments::ListCommand;
use crate::error::Result;
use crate::output::{self, Kind};

pub(super) async fn run(app: &App, command: &ListCommand, what: &str, kind: Kind) -> Result<()> {
    let ListCommand::List { refresh } = command;
    let mut path = within(app, &[what])?;
    if *refresh {
        path = path.query("maxAge", "0");
    }
    let items = app.session().await?.client.list(path).await?;
    output::items(app.form(), kind, &items)
}
