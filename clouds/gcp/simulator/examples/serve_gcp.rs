//! Serves a simulated Google Cloud until it is interrupted:
//! `cargo run -p pmks-gcp-simulator --example serve_gcp -- [PORT] [SPEED]`.
//!
//! Prints the ready file: where it listens and the credentials that it accepts (which are worth nothing elsewhere).

use std::sync::Arc;

use pmks_gcp_simulator::{GcpCloud, Settings};
use pmks_simulation::{Cloud, ready_file, serve};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example talks on standard output")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let speed = arguments.next().map_or(Ok(1.0), |speed| speed.parse())?;
    let cloud = Arc::new(GcpCloud::new(Settings { speed, ..Settings::default() }));
    let running = serve(Arc::clone(&cloud) as Arc<dyn Cloud>, port).await?;
    println!("{:#}", ready_file(&[(&*cloud, &running)]));
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}
