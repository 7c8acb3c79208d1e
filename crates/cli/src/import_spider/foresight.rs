//! What would become of what is wanted, before anything is taken over: the server asks the clouds, and one row may bring
//! what others are of as well.

use http::Method;
use pmks_api::Problem;
use pmks_meta_database::{Known, KnownKind, RowKind};
use pmks_model::{FailureKind, ResourceKind, is_same_identifier};
use serde::Deserialize;
use serde_json::{Value, json};

use super::step::{Standing, Step, What};
use super::steps::Steps;
use super::surface::{Surface, by_the_name, taken, taken_here, with_its_pieces};
use super::{REFUSED, look_at, refuse};
use crate::client::{Path, Request, shaped};
use crate::error::{Error, Result};

/// What the import of something would come to.
enum Foreseen {
    /// Nobody says.
    Unsaid,
    /// It would be refused.
    Refused(Error),
    /// It would come, unless it is known.
    Comes(Planned),
}

/// What the server says of an import that it would take.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Planned {
    /// Where its names and identifiers are one's alone.
    #[serde(default)]
    place: String,
    /// The cloud's identifier, as the cloud writes it.
    #[serde(default)]
    system_id: String,
    /// What is known by that identifier, else by its name.
    known: Option<KnownHere>,
    refused: Option<Box<Problem>>,
    /// The cloud's identifier of the network that a subnet is to lie in.
    #[serde(skip)]
    network: String,
}

/// What is known here.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KnownHere {
    name_id: String,
    system_id: String,
}

/// What would come, by which later rows of the same account and place know it.
struct Coming {
    /// Where its name and identifier are one's alone, the network of a subnet among it.
    space: String,
    known: Known,
    node_groups: Vec<Known>,
}

/// Ends all that would not come.
///
/// # Errors
/// Those of asking the server.
pub(super) async fn foresee(surface: &Surface, steps: &mut Steps, even_marked: bool) -> Result<()> {
    let mut coming = Vec::new();
    for place in 0..steps.all().len() {
        while let Some(step) = steps.all().get(place)
            && step.standing() == Standing::Wanted
            && matches!(step.what, What::Known { .. })
        {
            match surface.foreseen(step, steps, even_marked).await? {
                Foreseen::Unsaid => break,
                Foreseen::Refused(error) => refuse(steps, place, &error),
                Foreseen::Comes(planned) => {
                    judge(steps, place, &planned, &mut coming);
                    if planned.known.is_some() {
                        // Also those that its import alone would not have taken.
                        for place in steps.node_groups_of(place) {
                            look_at(surface, steps, place).await?;
                        }
                    }
                    break;
                }
            }
        }
        steps.settle();
    }
    Ok(())
}

/// Ends it if it is here, or another row brings it, or has its name.
fn judge(steps: &mut Steps, place: usize, planned: &Planned, coming: &mut Vec<Coming>) {
    if let Some(step) = steps.at(place) {
        step.is_written(&planned.system_id);
    }
    let Some(What::Known { known, node_groups }) = steps.all().get(place).map(|step| step.what.clone())
    else {
        return;
    };
    if let Some(here) = &planned.known {
        if here.system_id == planned.system_id {
            is_here(steps, place, &here.name_id, by_the_name(&here.name_id, &known.name));
        } else {
            steps.end(place, Standing::LeftOut, taken_here(&here.system_id));
        }
        return;
    }
    let space = format!("{} {}", planned.place, planned.network);
    let alike = |other: &&Coming| other.space == space && other.known.kind == known.kind;
    let by_then = |name: &str, own: &str| match by_the_name(name, own) {
        why if why.is_empty() => "by then".to_owned(),
        why => format!("{why}, by then"),
    };
    if let Some(same) = coming.iter().filter(alike).find(|other| other.known.csp_id == known.csp_id) {
        is_here(steps, place, &same.known.name, by_then(&same.known.name, &known.name));
        for place in steps.coming_with(place) {
            let Some(What::Known { known: group, .. }) = steps.all().get(place).map(|step| &step.what) else {
                continue;
            };
            let is_it = |other: &&Known| is_same_identifier(&other.csp_id, &group.csp_id);
            // One that the first row's cluster does not name has the cloud's name, with which its identifier ends.
            let of_cloud = group.csp_id.rsplit('/').next().unwrap_or_default();
            let name = same.node_groups.iter().find(is_it).map_or(of_cloud, |other| &other.name);
            let why = by_then(name, &group.name);
            steps.end(place, Standing::There, why);
        }
    } else if let Some(first) = coming.iter().filter(alike).find(|other| other.known.name == known.name) {
        steps.end(place, Standing::LeftOut, taken(&first.known));
    } else {
        coming.push(Coming { space, known, node_groups });
    }
}

fn is_here(steps: &mut Steps, place: usize, name: &str, why: String) {
    steps.end(place, Standing::There, why);
    if let Some(step) = steps.at(place) {
        step.is_here_by(name);
    }
}

impl Surface {
    /// What the import of something known at a cloud would come to, which the server asks the cloud.
    async fn foreseen(&self, step: &Step, steps: &Steps, even_marked: bool) -> Result<Foreseen> {
        let What::Known { known, node_groups } = &step.what else { return Ok(Foreseen::Unsaid) };
        let config = steps.find(RowKind::ConnectionConfig, "", &known.connection).map(|step| &step.what);
        let Some(What::Record(config)) = config else { return Ok(Foreseen::Unsaid) };
        let network = match known.kind {
            KnownKind::Subnet => match self.home(known, KnownKind::Network, steps).await? {
                Ok(network) => network.system_id,
                Err(_) => return Ok(Foreseen::Unsaid),
            },
            _ => String::new(),
        };
        let asked = |known: &Known| json!({"NameId": known.name, "SystemId": known.csp_id});
        let mut body = with_its_pieces(config, steps);
        let import = json!({
            "Kind": resource_kind(known.kind).as_str(),
            "NameId": known.name,
            "SystemId": known.csp_id,
            "Network": network,
            "TakeOver": even_marked,
            "NodeGroups": node_groups.iter().map(asked).collect::<Vec<_>>(),
        });
        body.insert("Import".to_owned(), import);
        let path = Path::at(["spider", "plan", "import"]);
        match self.client.send(Request::new(Method::POST, path).json(Value::Object(body))).await {
            Ok(answer) => {
                let planned: Planned = shaped(answer.body)?;
                Ok(match planned.refused {
                    Some(refused) => Foreseen::Refused(Error::Problem(refused)),
                    None => Foreseen::Comes(Planned { network, ..planned }),
                })
            }
            // A server of an older release foresees none.
            Err(error) if error.is(FailureKind::NotFound) => Ok(Foreseen::Unsaid),
            Err(error) if REFUSED.iter().any(|kind| error.is(*kind)) => Ok(Foreseen::Refused(error)),
            Err(error) => Err(error),
        }
    }
}

const fn resource_kind(kind: KnownKind) -> ResourceKind {
    match kind {
        KnownKind::Network => ResourceKind::Network,
        KnownKind::Subnet => ResourceKind::Subnet,
        KnownKind::SecurityGroup => ResourceKind::SecurityGroup,
        KnownKind::KeyPair => ResourceKind::KeyPair,
        KnownKind::Cluster => ResourceKind::Cluster,
        KnownKind::NodeGroup => ResourceKind::NodeGroup,
    }
}
