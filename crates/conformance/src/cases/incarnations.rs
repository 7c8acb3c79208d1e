//! What takes the name of a network, security group or key pair that is gone.

use pmks_driver::{
    Change, DeleteResource, ErrorKind, KeyPairUse, Marks, Presence, TagChanges, UpdateSecurityGroup,
    UpdateTags,
};
use pmks_model::{Iid, OperationKind, ResourceKind};

use crate::executor::carry_out;
use crate::ground::{
    delete, fix_prerequisites, key_pair_request, marks, network_request, other_key_pair_request,
    security_group_request, take,
};
use crate::report::{check, check_equal};
use crate::{Failed, Rig, Verdict};

/// Something, with what the cloud tells of it beside its identifier, and the marks that it was made with.
struct Made {
    kind: ResourceKind,
    iid: Iid,
    incarnation: String,
    marks: Marks,
}

/// What has the name and the identifier of a network, security group or key pair that is gone is another one, where the
/// cloud tells any of the kind: no change that is aimed at the first one touches it, and one that is aimed at it does.
pub(crate) async fn what_took_a_name_is_another_one(rig: Rig) -> Result<Verdict, Failed> {
    fix_prerequisites(&rig).await?;
    let first = make(&rig, false).await?;
    for one in first.iter().rev() {
        delete(&rig, one.kind, &one.iid, &one.marks).await?;
    }
    let second = make(&rig, true).await?;
    for (first, second) in first.iter().zip(&second) {
        let what = second.kind.says();
        let told = (!first.incarnation.is_empty(), !second.incarnation.is_empty());
        check_equal(&told.0, &told.1, &format!("whether the cloud tells anything of a {what}"))?;
        if !told.0 || first.iid.system_id != second.iid.system_id {
            continue;
        }
        check(first.incarnation != second.incarnation, || {
            format!("the {what} was made anew, and is still told to be {:?}", first.incarnation)
        })?;
        for change in changes(&rig, second, &first.incarnation) {
            let mark = rig.calls.mark();
            let refused = carry_out(&rig, &change).await.err();
            let is_told = refused.as_ref().is_some_and(|error| *error.kind() == ErrorKind::Replaced);
            check(is_told, || format!("{} of another {what}: {refused:?}", change.kind()))?;
            let sent = rig.calls.changes_since(mark);
            check(sent.is_empty(), || format!("{} of another {what} sent {sent:?}", change.kind()))?;
        }
        check_equal(&told_of(&rig, second.kind, &second.iid).await?, &second.incarnation, what)?;
    }
    for one in second.iter().rev() {
        for change in changes(&rig, one, &one.incarnation).into_iter().rev() {
            carry_out(&rig, &change).await?;
        }
        let gone = told_of(&rig, one.kind, &one.iid).await;
        check(gone.is_err(), || format!("the {} is still there", one.kind.says()))?;
    }
    Ok(Verdict::Passed)
}

/// What another installation of pmks made and this one took over is changed and removed as what it made itself: where the
/// very thing that is meant stands, nobody asks whose mark it bears. All that it consists of goes with it.
pub(crate) async fn what_was_taken_over_is_changed_and_removed(rig: Rig) -> Result<Verdict, Failed> {
    fix_prerequisites(&rig).await?;
    let made = make(&rig, false).await?;
    for one in made.iter().rev() {
        for mut change in changes(&rig, one, &one.incarnation).into_iter().rev() {
            let marks = match &mut change {
                Change::DeleteResource(asked) => &mut asked.marks,
                Change::UpdateTags(asked) => &mut asked.marks,
                Change::UpdateSecurityGroup(asked) => &mut asked.marks,
                _ => continue,
            };
            "of-somebody-else".clone_into(&mut marks.installation);
            carry_out(&rig, &change).await?;
        }
        let gone = told_of(&rig, one.kind, &one.iid).await;
        check(gone.is_err(), || format!("the {} is still there", one.kind.says()))?;
    }
    Ok(Verdict::Passed)
}

/// One of each kind that this provider has. A key pair of another time is of another key.
async fn make(rig: &Rig, again: bool) -> Result<Vec<Made>, Failed> {
    let capabilities = *rig.driver.capabilities();
    let mut made = Vec::new();
    let asked = network_request(rig, "pmks-anew").await?;
    let network = take(&mut carry_out(rig, &Change::CreateNetwork(asked.clone())).await?.ids, "pmks-anew")?;
    made.push((ResourceKind::Network, network.clone(), asked.marks));
    if capabilities.security_groups != Presence::Forbidden {
        let asked = security_group_request("pmks-anew-group", &network);
        let mut ids = carry_out(rig, &Change::CreateSecurityGroup(asked.clone())).await?.ids;
        made.push((ResourceKind::SecurityGroup, take(&mut ids, "pmks-anew-group")?, asked.marks));
    }
    if capabilities.key_pair != KeyPairUse::Unused {
        let request = if again { other_key_pair_request } else { key_pair_request };
        let asked = request("pmks-anew-key");
        let mut ids = carry_out(rig, &Change::CreateKeyPair(asked.clone())).await?.ids;
        made.push((ResourceKind::KeyPair, take(&mut ids, "pmks-anew-key")?, asked.marks));
    }
    let mut all = Vec::new();
    for (kind, iid, marks) in made {
        let incarnation = told_of(rig, kind, &iid).await?;
        all.push(Made { kind, iid, incarnation, marks });
    }
    Ok(all)
}

/// What the cloud tells of what has that identifier.
async fn told_of(rig: &Rig, kind: ResourceKind, iid: &Iid) -> Result<String, Failed> {
    let id = iid.system_id.as_str();
    Ok(match kind {
        ResourceKind::SecurityGroup => rig.driver.get_security_group(id).await?.incarnation,
        ResourceKind::KeyPair => rig.driver.get_key_pair(id).await?.incarnation,
        _ => rig.driver.get_network(id).await?.incarnation,
    })
}

/// Every change that there is of it, its removal first, aimed at that incarnation.
fn changes(rig: &Rig, made: &Made, incarnation: &str) -> Vec<Change> {
    let capabilities = rig.driver.capabilities();
    let (kind, iid, incarnation) = (made.kind, made.iid.clone(), incarnation.to_owned());
    let marks = Marks { uid: made.marks.uid.clone(), ..marks() };
    let removal = DeleteResource {
        kind,
        iid: iid.clone(),
        incarnation: incarnation.clone(),
        network: None,
        marks: marks.clone(),
    };
    let mut changes = vec![Change::DeleteResource(removal)];
    if capabilities.takes_tags(kind) {
        let tags: TagChanges = [("team".to_owned(), Some("blue".to_owned()))].into_iter().collect();
        changes.push(Change::UpdateTags(UpdateTags {
            kind,
            iid: iid.clone(),
            incarnation: incarnation.clone(),
            network: None,
            tags,
            only_new_tags: false,
            marks: marks.clone(),
        }));
    }
    if kind == ResourceKind::SecurityGroup && capabilities.has(OperationKind::SecurityGroupUpdate) {
        let remove = security_group_request(&iid.name_id, &iid).request.rules;
        changes.push(Change::UpdateSecurityGroup(UpdateSecurityGroup {
            iid,
            incarnation,
            add: Vec::new(),
            remove,
            marks,
        }));
    }
    changes
}
