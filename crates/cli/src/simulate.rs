//! `pmks simulate`: simulated clouds alone. They forget everything at the end.

use pmks_model::FailureKind;

use crate::arguments::Simulate;
use crate::error::{Error, Result};
use crate::registry::{self, Simulated};
use crate::{output, private_file, signals, simulated};

/// Serves simulated clouds until told to end.
pub(crate) async fn run(simulate: &Simulate) -> Result<()> {
    if !simulate.listen.ip().is_loopback() {
        let says = format!("a simulated cloud listens on loopback only, not on {}", simulate.listen.ip());
        return Err(Error::new(FailureKind::InvalidRequest, says));
    }
    let mut served = Vec::new();
    let mut port = simulate.listen.port();
    for entry in registry::named(&simulate.clouds)? {
        let how = Simulated::new(simulate.speed, simulate.seed);
        served.push(simulated::fresh(entry, how, port).await?);
        port = if port == 0 { 0 } else { port.saturating_add(1) };
    }
    if let Some(path) = &simulate.ready_file {
        private_file::replace(path, &format!("{:#}\n", simulated::ready_file(&served)))?;
    }
    for cloud in &served {
        output::note(&format!("simulated {}: {} (control: {}/_sim)", cloud.name, cloud.url(), cloud.url()));
    }
    if simulate.ready_file.is_none() {
        output::note("--ready-file FILE writes a connection that works");
    }
    signals::end().await;
    for cloud in served {
        cloud.stop().await;
    }
    if let Some(path) = &simulate.ready_file {
        // It names ports that nobody answers any more.
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}
