//! Tags of networks, subnets, security groups and key pairs.

use pmks_driver::{Change, DriverError, ErrorKind, KeyPairUse, Marks, Presence, TagChanges, UpdateTags};
use pmks_model::{Iid, ResourceKind, Tags};

use crate::executor::carry_out;
use crate::ground::{
    delete, fix_prerequisites, key_pair_request, marks, network_request, security_group_request, take,
};
use crate::report::{check, check_equal};
use crate::{Failed, Rig, Verdict};

/// Something with tags, and the marks that it was made with.
struct Tagged {
    kind: ResourceKind,
    iid: Iid,
    network: Option<Iid>,
    marks: Marks,
}

impl Tagged {
    async fn tags(&self, rig: &Rig) -> Result<Tags, Failed> {
        let id = self.iid.system_id.as_str();
        Ok(match self.kind {
            ResourceKind::Subnet => rig.driver.get_subnet(id).await?.tags,
            ResourceKind::SecurityGroup => rig.driver.get_security_group(id).await?.tags,
            ResourceKind::KeyPair => rig.driver.get_key_pair(id).await?.tags,
            _ => rig.driver.get_network(id).await?.tags,
        })
    }

    fn change(&self, tags: &TagChanges) -> Change {
        Change::UpdateTags(UpdateTags {
            kind: self.kind,
            iid: self.iid.clone(),
            incarnation: String::new(),
            network: self.network.clone(),
            tags: tags.clone(),
            only_new_tags: false,
            marks: Marks { uid: self.marks.uid.clone(), ..marks() },
        })
    }
}

/// With a `Name`, by which consoles of clouds call things: a user's own is as good as any other tag.
fn given() -> Tags {
    [("purpose", "conformance"), ("stays", "so"), ("Name", "chosen by a user")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into_iter()
        .collect()
}

/// Tags are given to networks, subnets, security groups and key pairs at their creation, set and removed one by one, and
/// all others stay, our marks among them; what is so already is not asked for. A kind that takes none is refused without a
/// request.
pub(crate) async fn tags_of_what_clusters_stand_on_change(rig: Rig) -> Result<Verdict, Failed> {
    let capabilities = *rig.driver.capabilities();
    fix_prerequisites(&rig).await?;
    let of = |kind| if capabilities.takes_tags(kind) { given() } else { Tags::new() };
    let made = make(&rig, &of).await?;
    for tagged in &made {
        if capabilities.takes_tags(tagged.kind) {
            changes(&rig, tagged).await?;
        } else {
            is_refused(&rig, tagged).await?;
        }
    }
    for tagged in made.iter().rev().filter(|tagged| tagged.kind != ResourceKind::Subnet) {
        delete(&rig, tagged.kind, &tagged.iid, &tagged.marks).await?;
        if capabilities.takes_tags(tagged.kind) {
            let set: TagChanges = [("late".to_owned(), Some("x".to_owned()))].into_iter().collect();
            let late = rig.driver.prepare(&tagged.change(&set)).await.err();
            let is_told = late.as_ref().is_some_and(DriverError::is_not_found);
            check(is_told, || format!("tags of no {}: {late:?}", tagged.kind.says()))?;
        }
    }
    Ok(Verdict::Passed)
}

/// One of each kind that this provider has, with these tags.
async fn make(rig: &Rig, of: &(dyn Fn(ResourceKind) -> Tags + Sync)) -> Result<Vec<Tagged>, Failed> {
    let capabilities = *rig.driver.capabilities();
    let mut asked = network_request(rig, "pmks-tags").await?;
    asked.request.tags = of(ResourceKind::Network);
    for subnet in &mut asked.request.subnets {
        subnet.tags = of(ResourceKind::Subnet);
    }
    let mut ids = carry_out(rig, &Change::CreateNetwork(asked.clone())).await?.ids;
    let network = take(&mut ids, "pmks-tags")?;
    let mut made = Vec::new();
    let tagged = |kind, iid, network, marks| Tagged { kind, iid, network, marks };
    made.push(tagged(ResourceKind::Network, network.clone(), None, asked.marks.clone()));
    if let Some(subnet) = asked.request.subnets.first() {
        let iid = take(&mut ids, &subnet.name)?;
        made.push(tagged(ResourceKind::Subnet, iid, Some(network.clone()), asked.marks.clone()));
    }
    if capabilities.security_groups != Presence::Forbidden {
        let mut asked = security_group_request("pmks-tags-group", &network);
        asked.request.tags = of(ResourceKind::SecurityGroup);
        let mut ids = carry_out(rig, &Change::CreateSecurityGroup(asked.clone())).await?.ids;
        made.push(tagged(ResourceKind::SecurityGroup, take(&mut ids, "pmks-tags-group")?, None, asked.marks));
    }
    if capabilities.key_pair != KeyPairUse::Unused {
        let mut asked = key_pair_request("pmks-tags-key");
        asked.request.tags = of(ResourceKind::KeyPair);
        let mut ids = carry_out(rig, &Change::CreateKeyPair(asked.clone())).await?.ids;
        made.push(tagged(ResourceKind::KeyPair, take(&mut ids, "pmks-tags-key")?, None, asked.marks));
    }
    Ok(made)
}

async fn changes(rig: &Rig, tagged: &Tagged) -> Result<(), Failed> {
    let what = tagged.kind.says();
    let mut wanted = tagged.tags(rig).await?;
    for (key, value) in given() {
        check_equal(&wanted.get(&key), &Some(&value), &format!("the tag {key} of the {what}"))?;
    }
    for changes in [
        [("purpose".to_owned(), None), ("team".to_owned(), Some("blue".to_owned()))],
        [("purpose".to_owned(), Some("other".to_owned())), ("none".to_owned(), None)],
    ] {
        let changes: TagChanges = changes.into_iter().collect();
        wanted = changes.onto(wanted);
        for again in [false, true] {
            let mark = rig.calls.mark();
            carry_out(rig, &tagged.change(&changes)).await?;
            let sent = rig.calls.changes_since(mark);
            check(sent.is_empty() == again, || format!("again {again}, and it sent {sent:?}"))?;
            check_equal(&tagged.tags(rig).await?, &wanted, &format!("the tags of the {what}"))?;
        }
    }
    Ok(())
}

async fn is_refused(rig: &Rig, tagged: &Tagged) -> Result<(), Failed> {
    let change: TagChanges = [("team".to_owned(), Some("blue".to_owned()))].into_iter().collect();
    let mark = rig.calls.mark();
    let refused = rig.driver.prepare(&tagged.change(&change)).await.err();
    let is_unsupported =
        refused.as_ref().is_some_and(|error| matches!(error.kind(), ErrorKind::Unsupported { .. }));
    check(is_unsupported, || format!("tags of a {}: {refused:?}", tagged.kind.says()))?;
    let sent = rig.calls.since(mark);
    check(sent.is_empty(), || format!("the refusal sent {sent:?}"))
}
