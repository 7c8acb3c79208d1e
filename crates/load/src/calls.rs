//! How many calls each operation makes at each cloud.

use std::fmt::Write as _;

use http::Method;
use serde_json::json;

use crate::caller::Ask;
use crate::processes::Pmks;
use crate::stand::{HERE, Stand};

/// How much faster than the real clouds: what is asked how often goes by it too.
const SPEED: &str = "600";

/// Prints the figures.
pub(crate) async fn run(pmks: &Pmks) -> anyhow::Result<()> {
    println!(
        "\n| cloud calls of an operation, acceptance and end included | network | cluster, one node group | scaling | deletion |"
    );
    println!("|---|---|---|---|---|");
    for cloud in ["aws", "gcp", "azure"] {
        let stand = Stand::new(pmks, &format!("calls-{cloud}"), cloud, SPEED).await?;
        stand.carry_out(&Ask::post(format!("{HERE}/prerequisites/fix"), &json!({}))).await?;
        let mut row = format!("| {cloud} |");
        let mut before = stand.sum("pmks_cloud_calls_total").await?;
        let cluster = format!("{HERE}/clusters/shop");
        let scale = Ask::post(format!("{cluster}/nodeGroups/workers/scale"), &json!({"desired": 2}));
        let delete = Ask { method: Method::DELETE, ..Ask::get(&cluster) };
        for number in 0..4 {
            match number {
                0 => {
                    let network = stand.network().await?;
                    stand.end_of(&network).await?;
                }
                1 => {
                    let create = stand.cluster("shop", &["workers"]);
                    stand.carry_out(&create).await?;
                }
                2 => stand.carry_out(&scale).await?,
                _ => stand.carry_out(&delete).await?,
            }
            let after = stand.sum("pmks_cloud_calls_total").await?;
            write!(row, " {:.0} |", after - before)?;
            before = after;
        }
        println!("{row}");
    }
    Ok(())
}
