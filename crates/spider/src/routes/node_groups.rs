//! Node groups of a cluster.

use pmks_core::{Mutation, NewNodeGroup, Reference};
use pmks_driver::{Capabilities, KeyPairUse};
use pmks_model::{Scaling, ScalingChange};

use super::clusters;
use super::{shapes, spellings};
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::fields::Fields;
use crate::reply::Reply;
use crate::wait::{CHANGE, DELETION, Until};

/// How what clients say of node groups is meant at a cloud.
#[derive(Clone, Copy)]
pub(super) struct OfCloud {
    /// Whether it has any use for the key pair that clients name always.
    keyed: bool,
    /// The types of root disks that CB-Spider counts there.
    root_disk_types: &'static [&'static str],
    /// Those that can be chosen, by the cloud's words.
    choosable: &'static [&'static str],
}

impl OfCloud {
    pub(super) fn of(can: &Capabilities) -> Self {
        let spelling = spellings::of(&spellings::to_spider(can.provider));
        Self {
            keyed: can.key_pair != KeyPairUse::Unused,
            root_disk_types: spelling.map(|spelling| spelling.root_disk_types).unwrap_or_default(),
            choosable: can.root_disk.types,
        }
    }

    /// A type of root disk by the cloud's word, or as `TYPE1` by its place in CB-Spider's list of the cloud's. One beyond
    /// its end is refused: CB-Spider takes the last one, which nobody asked for. So is one that cannot be chosen, with what
    /// can be; of the cloud's own words the driver says that.
    ///
    /// Source: <https://github.com/cloud-barista/cb-spider/blob/master/api-runtime/common-runtime/ClusterManager.go>,
    /// `translateRootDiskInfo`
    fn root_disk_type(self, said: String, asked: &Fields) -> Result<String, Refusal> {
        let upper = said.to_ascii_uppercase();
        let Some(place) = upper.strip_prefix("TYPE") else { return Ok(said) };
        let known = self.root_disk_types;
        let place = place.parse::<usize>().ok().and_then(|place| place.checked_sub(1));
        let counted = place.and_then(|place| known.get(place));
        if let Some(word) = counted.filter(|word| self.choosable.contains(word)) {
            return Ok((*word).to_owned());
        }
        let all = self.choosable.iter().map(|word| match known.iter().position(|counted| counted == word) {
            Some(place) => format!("TYPE{} ({word})", place + 1),
            None => (*word).to_owned(),
        });
        let says = match all.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "cannot be chosen here: leave it out, or say default".to_owned(),
            all => format!("is none of {all}, default"),
        };
        let whose = match asked.text("Name")?.trim() {
            "" => String::new(),
            name => format!(" (node group {name:?})"),
        };
        let place = asked.place("RootDiskType");
        Err(Refusal::invalid(format!("{place}: {said:?} {says}{whose}")))
    }
}

/// A node group that is asked for.
pub(super) fn new(asked: &Fields, of_cloud: OfCloud) -> Result<NewNodeGroup, Refusal> {
    let or_default = |key| {
        let text = asked.text(key)?.trim().to_owned();
        Ok::<_, Refusal>(if text.eq_ignore_ascii_case("default") { String::new() } else { text })
    };
    Ok(NewNodeGroup {
        name: asked.required("Name")?,
        unique_cloud_name: None,
        version: String::new(),
        machine_type: asked.text("VMSpecName")?,
        image: or_default("ImageName")?,
        root_disk_type: of_cloud.root_disk_type(or_default("RootDiskType")?, asked)?,
        root_disk_size_gib: match or_default("RootDiskSize")?.as_str() {
            "" => None,
            _ => asked.number("RootDiskSize")?,
        },
        key_pair: if of_cloud.keyed { asked.text("KeyPairName")? } else { String::new() },
        scaling: scaling(asked)?,
    })
}

/// The size that is asked for; `None`: nothing is said of it. Limits that are left out, or zero while nobody moves the
/// size, are the size. A most alone says nothing of how many there are: it is one, and never as many as are allowed.
fn scaling(asked: &Fields) -> Result<Option<Scaling>, Refusal> {
    let auto_scaling = asked.flag("OnAutoScaling")?;
    let (desired, min, max) =
        (asked.number("DesiredNodeSize")?, asked.number("MinNodeSize")?, asked.number("MaxNodeSize")?);
    let Some(size) = desired.or(min).or(max.map(|most| most.min(1))) else {
        return Ok(auto_scaling.map(|auto_scaling| Scaling { auto_scaling, ..Scaling::fixed(1) }));
    };
    let auto_scaling = auto_scaling.unwrap_or_default();
    let limit = |said: Option<u32>| said.filter(|limit| auto_scaling || *limit > 0).unwrap_or(size);
    Ok(Some(Scaling { auto_scaling, min: limit(min), max: limit(max), desired: size }))
}

/// Answers the whole cluster, when the cloud has taken the node group on.
pub(super) async fn add(call: Call) -> Answer {
    let (connection, cluster) = (call.connection()?, call.named(0).to_owned());
    let can = call.capabilities(&connection).await?;
    let node_group =
        NewNodeGroup { unique_cloud_name: call.unique_names()?, ..new(&call.asked()?, OfCloud::of(can))? };
    let mutation =
        Mutation::AddNodeGroup { connection: connection.clone(), cluster: cluster.clone(), node_group };
    clusters::changed(&call, mutation, &connection, &cluster, Until::Known).await
}

/// Answers when it is gone. Where the client forces it, what the cloud does not let go is not removed, hence not true. Its
/// record stays with that of its cluster: what it needs is needed as long as it stands.
pub(super) async fn remove(call: Call) -> Answer {
    let (connection, force) = (call.connection()?, call.force()?);
    let (cluster, node_group) = (call.named(0).to_owned(), Reference::name(call.named(1)));
    let mutation = Mutation::RemoveNodeGroup {
        connection: connection.clone(),
        cluster: cluster.clone(),
        node_group: node_group.clone(),
    };
    match call.change(mutation, Until::Over, DELETION).await {
        Ok(operation) => Ok(call.at_once(&operation).unwrap_or(Reply::result(true))),
        Err(refusal) if force && refusal.is_of_the_cloud() => Ok(Reply::result(false)),
        Err(refusal) => Err(refusal),
    }
}

pub(super) async fn switch_auto_scaling(call: Call) -> Answer {
    let on = call.asked()?.flag("OnAutoScaling")?;
    let on = on.ok_or_else(|| Refusal::invalid("OnAutoScaling is empty!"))?;
    let change = ScalingChange { auto_scaling: Some(on), ..ScalingChange::default() };
    match scaled(&call, change).await? {
        Some(accepted) => Ok(accepted),
        None => Ok(Reply::result(true)),
    }
}

/// Answers the node group.
pub(super) async fn scale(call: Call) -> Answer {
    let asked = call.asked()?;
    let change = ScalingChange {
        auto_scaling: None,
        min: asked.number("MinNodeSize")?,
        max: asked.number("MaxNodeSize")?,
        desired: asked.number("DesiredNodeSize")?,
    };
    if change.is_empty() {
        return Err(Refusal::invalid("DesiredNodeSize, MinNodeSize and MaxNodeSize are empty!"));
    }
    if let Some(accepted) = scaled(&call, change).await? {
        return Ok(accepted);
    }
    let (connection, name) = (call.connection()?, call.named(1));
    let group = call.pmks().node_groups().get(&connection, call.named(0), name, None).await?;
    Ok(Reply::Json(shapes::node_group(&group)))
}

/// Waits until the cloud has the new scaling; `Some`: the client does not.
async fn scaled(call: &Call, scaling: ScalingChange) -> Result<Option<Reply>, Refusal> {
    let connection = call.connection()?;
    let (cluster, node_group) = (call.named(0).to_owned(), call.named(1).to_owned());
    let mutation = Mutation::ScaleNodeGroup { connection, cluster, node_group, scaling };
    let operation = call.change(mutation, Until::Over, CHANGE).await?;
    Ok(call.at_once(&operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> NewNodeGroup {
        new(&Fields::of_body(json.as_bytes()).unwrap(), CLOUD).unwrap()
    }

    const CLOUD: OfCloud = OfCloud {
        keyed: true,
        root_disk_types: &["SSD", "HDD", "MEM", "OLD"],
        choosable: &["fast", "SSD", "HDD", "MEM"],
    };

    #[test]
    fn types_of_root_disks_are_counted_or_called_by_the_clouds_words() {
        let asked = Fields::of_body(br#"{"NodeGroupList": [{"Name": "g"}]}"#).unwrap();
        let asked = asked.parts("NodeGroupList").unwrap().unwrap().remove(0);
        let read = |of_cloud: OfCloud, said: &str| of_cloud.root_disk_type(said.to_owned(), &asked);
        for (said, means) in [("TYPE1", "SSD"), ("type2", "HDD"), ("TYPE3", "MEM"), ("HDD", "HDD"), ("", "")]
        {
            assert_eq!(read(CLOUD, said).unwrap(), means, "{said}");
        }
        for said in ["TYPE0", "TYPE", "TYPE-1", "TYPEx", "TYPE4", "TYPE5", "TYPE99"] {
            let refused = read(CLOUD, said).unwrap_err();
            assert_eq!(refused.status.as_u16(), 400);
            let says = "is none of fast, TYPE1 (SSD), TYPE2 (HDD), TYPE3 (MEM), default";
            assert!(refused.message.contains(says), "{}", refused.message);
            let which = refused.message.starts_with("NodeGroupList[0].RootDiskType: ");
            assert!(which && refused.message.ends_with("(node group \"g\")"), "{}", refused.message);
        }
        assert!(read(OfCloud { root_disk_types: &[], ..CLOUD }, "TYPE1").is_err());
        for said in ["TYPE1", "TYPE9"] {
            let refused = read(OfCloud { choosable: &[], ..CLOUD }, said).unwrap_err();
            let says = format!("{said:?} cannot be chosen here: leave it out, or say default");
            assert!(refused.message.contains(&says), "{}", refused.message);
        }
    }

    #[test]
    fn sizes_come_as_texts_and_what_is_default_is_nothing() {
        let group = read(
            r#"{"Name": "g", "ImageName": "default", "RootDiskType": "DEFAULT", "RootDiskSize": "default",
                "OnAutoScaling": "true", "DesiredNodeSize": "1", "MinNodeSize": "1", "MaxNodeSize": "2"}"#,
        );
        assert_eq!(
            (group.image.as_str(), group.root_disk_type.as_str(), group.root_disk_size_gib),
            ("", "", None)
        );
        assert_eq!(group.scaling, Some(Scaling { auto_scaling: true, min: 1, max: 2, desired: 1 }));
    }

    #[test]
    fn limits_that_nobody_needs_are_the_size() {
        let group = read(
            r#"{"Name": "g", "RootDiskSize": "50", "OnAutoScaling": false, "DesiredNodeSize": 3, "MinNodeSize": 0,
                "MaxNodeSize": "0"}"#,
        );
        assert_eq!((group.scaling, group.root_disk_size_gib), (Some(Scaling::fixed(3)), Some(50)));
        assert_eq!(read(r#"{"Name": "g"}"#).scaling, None);
        for auto_scaling in [false, true] {
            let most =
                read(&format!(r#"{{"Name": "g", "OnAutoScaling": {auto_scaling}, "MaxNodeSize": "5"}}"#));
            assert_eq!(most.scaling, Some(Scaling { auto_scaling, min: 1, max: 5, desired: 1 }));
        }
        let asked = Fields::of_body(br#"{"Name": "g", "DesiredNodeSize": "many"}"#).unwrap();
        assert!(new(&asked, CLOUD).is_err());
    }
}
