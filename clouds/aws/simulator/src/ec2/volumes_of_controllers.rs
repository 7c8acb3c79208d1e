//! Disks that a cluster's storage driver makes for claims: they outlive the cluster unless somebody deletes them.
//!
//! The cluster's Kubernetes API shows no claim for them; their tags are what there is.
//! Source of the tags: <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md>.

use pmks_simulation::{Now, StateError};
use serde_json::{Value, json};

use super::state::Volume;
use crate::eks;
use crate::world::{Place, Tags, World};

/// The event `{"type":"controllerMakesVolume","cluster":NAME,"sizeGib"?}`; the first cluster of that name is meant.
///
/// # Errors
/// When there is no such cluster, or the size cannot be.
pub(crate) fn from_event(world: &mut World, event: &Value, now: Now) -> Result<Value, StateError> {
    let cluster = event.get("cluster").and_then(Value::as_str);
    let cluster = cluster.ok_or_else(|| StateError("the event needs `cluster`".to_owned()))?;
    let size_gib =
        event.get("sizeGib").map_or(Some(10), Value::as_i64).filter(|size| (1..=65_536).contains(size));
    let size_gib = size_gib.ok_or_else(|| StateError("sizeGib must lie between 1 and 65536".to_owned()))?;
    let found = world.places().into_iter().find_map(|place| {
        let region = world.region(&place);
        let subnets = eks::cluster_subnets(&region.eks, cluster)?;
        let zone = subnets.iter().find_map(|id| region.ec2.subnets.get(id))?.zone.clone();
        Some((place, zone))
    });
    let (place, zone): (Place, String) =
        found.ok_or_else(|| StateError(format!("there is no cluster `{cluster}`")))?;
    let claim = format!("pvc-{}", world.random.uuid());
    let tags = Tags::from([
        ("ebs.csi.aws.com/cluster".to_owned(), "true".to_owned()),
        (format!("kubernetes.io/cluster/{cluster}"), "owned".to_owned()),
        ("CSIVolumeName".to_owned(), claim.clone()),
        ("kubernetes.io/created-for/pv/name".to_owned(), claim),
    ]);
    let id = world.new_id("vol");
    let volume = Volume {
        id: id.clone(),
        zone,
        size_gib,
        kind: "gp3".to_owned(),
        instance: None,
        tags,
        created: now.wall,
    };
    world.region_mut(&place).ec2.volumes.insert(id.clone(), volume);
    Ok(json!({"volumeId": id}))
}
