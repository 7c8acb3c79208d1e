//! Networks, subnets, security groups and key pairs.

use pmks_driver::{
    Change, CreateSubnet, DeleteResource, DriverError, ErrorKind, KeyPairUse, Marks, Presence,
    UpdateSecurityGroup,
};
use pmks_model::{Direction, OperationKind, Protocol, ResourceKind, Rule, SubnetRequest, Tags};

use crate::executor::carry_out;
use crate::ground::{
    Ground, cidr, delete, fix_prerequisites, key_pair_request, marks, network_request,
    security_group_request, take,
};
use crate::report::{check, check_equal};
use crate::{Failed, Rig, Verdict};

/// A network is made with its subnets, found, and removed with all that was made for it.
pub(crate) async fn networks_come_and_go(rig: Rig) -> Result<Verdict, Failed> {
    fix_prerequisites(&rig).await?;
    let asked = network_request(&rig, "pmks-net").await?;
    let mut done = carry_out(&rig, &Change::CreateNetwork(asked.clone())).await?;
    check(done.asks.values().all(|asks| *asks <= 1), || format!("asked more than once: {:?}", done.asks))?;
    let iid = take(&mut done.ids, "pmks-net")?;
    let network = rig.driver.get_network(&iid.system_id).await?;
    let has_addresses = rig.driver.capabilities().network_addresses;
    let wanted = if has_addresses { asked.request.cidr.to_string() } else { String::new() };
    check_equal(&network.cidr, &wanted, "the network's addresses")?;
    for subnet in &asked.request.subnets {
        let has = network.subnets.iter().any(|found| found.cidr == subnet.cidr.to_string());
        check(has, || format!("no subnet has {}: {:?}", subnet.cidr, network.subnets))?;
    }
    check_equal(&network.subnets.len(), &asked.request.subnets.len(), "the number of subnets")?;
    check(asked.marks.are_on(&network.tags) || rig.driver.capabilities().tags.is_none(), || {
        format!("the marks are not on {:?}", network.tags)
    })?;
    let listed = rig.driver.list_networks().await?;
    check(listed.iter().any(|one| one.iid.system_id == iid.system_id), || "the list lacks it".to_owned())?;
    delete(&rig, ResourceKind::Network, &iid, &asked.marks).await?;
    let gone = rig.driver.get_network(&iid.system_id).await.err();
    check(gone.is_some_and(|error| error.is_not_found()), || "it is still found".to_owned())?;
    Ok(Verdict::Passed)
}

/// A name that another has is found before anything is made: where subnets of one name cannot stand in two networks, that
/// is a finding on the subnet; elsewhere both networks stand whole.
pub(crate) async fn names_that_are_taken_are_refused_before_anything_is_made(
    rig: Rig,
) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let mut changes = vec![Change::CreateNetwork(network_request(&rig, "pmks-second").await?)];
    if let Some(group) = ground.security_groups.first() {
        let asked = security_group_request(&group.name_id, &ground.network);
        changes.push(Change::CreateSecurityGroup(asked));
    }
    if let Some(pair) = &ground.key_pair {
        changes.push(Change::CreateKeyPair(key_pair_request(&pair.name_id)));
    }
    for change in changes {
        let mark = rig.calls.mark();
        let prepared = rig.driver.prepare(&change).await;
        let sent = rig.calls.changes_since(mark);
        check(sent.is_empty(), || format!("a preparation sent {sent:?}"))?;
        let error = prepared.as_ref().err().map(DriverError::kind);
        match (&change, error) {
            (Change::CreateNetwork(asked), None) => {
                let iid = take(&mut carry_out(&rig, &change).await?.ids, "pmks-second")?;
                let subnets = rig.driver.get_network(&iid.system_id).await?.subnets.len();
                check_equal(&subnets, &asked.request.subnets.len(), "the number of subnets")?;
                delete(&rig, ResourceKind::Network, &iid, &asked.marks).await?;
            }
            (Change::CreateNetwork(_), Some(ErrorKind::InvalidRequest(findings))) => {
                let named = findings.iter().any(|finding| finding.field == "subnets[0].name");
                check(named, || format!("the subnet is not named: {findings}"))?;
            }
            (_, Some(ErrorKind::AlreadyExists)) => {}
            (_, other) => return Err(Failed(format!("{} of a taken name is {other:?}", change.kind()))),
        }
    }
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A subnet is added to a network, found in it, and removed.
pub(crate) async fn subnets_come_and_go(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let request = SubnetRequest {
        name: "pmks-more".to_owned(),
        cidr: cidr("10.20.200.0/24"),
        zone: String::new(),
        tags: Tags::new(),
    };
    let asked = CreateSubnet { network: ground.network.clone(), request, marks: marks() };
    let mut done = carry_out(&rig, &Change::CreateSubnet(asked)).await?;
    let iid = take(&mut done.ids, "pmks-more")?;
    let subnet = rig.driver.get_subnet(&iid.system_id).await?;
    check_equal(&subnet.cidr.as_str(), &"10.20.200.0/24", "the subnet's addresses")?;
    check_equal(&subnet.network, &ground.network.system_id, "the subnet's network")?;
    for _ in 0..2 {
        let network = Some(ground.network.clone());
        let asked = DeleteResource {
            kind: ResourceKind::Subnet,
            iid: iid.clone(),
            incarnation: String::new(),
            network,
            marks: marks(),
        };
        carry_out(&rig, &Change::DeleteResource(asked)).await?;
    }
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A security group is made with its rules, found with them, and removed.
pub(crate) async fn security_groups_come_and_go(rig: Rig) -> Result<Verdict, Failed> {
    if rig.driver.capabilities().security_groups == Presence::Forbidden {
        return Ok(Verdict::Skipped("this provider has no security groups of the user's".to_owned()));
    }
    let ground = Ground::make(&rig).await?;
    let asked = security_group_request("pmks-group", &ground.network);
    let mut done = carry_out(&rig, &Change::CreateSecurityGroup(asked.clone())).await?;
    let iid = take(&mut done.ids, "pmks-group")?;
    let found = rig.driver.get_security_group(&iid.system_id).await?;
    let same = |found: &[Rule], wanted: &[Rule]| {
        found.len() == wanted.len() && wanted.iter().all(|rule| rule.is_among(found))
    };
    check(same(&found.rules, &asked.request.rules), || format!("rules: {:?}", found.rules))?;
    let listed = rig.driver.list_security_groups().await?;
    check(listed.contains(&found), || format!("the list lacks {found:?}: {listed:?}"))?;
    delete(&rig, ResourceKind::SecurityGroup, &iid, &asked.marks).await?;
    let listed = rig.driver.list_security_groups().await?;
    check(listed.iter().all(|one| one.iid.system_id != iid.system_id), || "it is still listed".to_owned())?;
    // One that is to let little out, or nothing, does not let everything out.
    let https = Rule {
        direction: Direction::Outbound,
        protocol: Protocol::Tcp,
        from_port: Some(443),
        to_port: Some(443),
        cidr: cidr("10.20.0.0/16"),
    };
    for (name, rules) in [("pmks-narrow", vec![https]), ("pmks-closed", Vec::new())] {
        let mut asked = security_group_request(name, &ground.network);
        asked.request.rules = rules;
        let mut done = carry_out(&rig, &Change::CreateSecurityGroup(asked.clone())).await?;
        let iid = take(&mut done.ids, name)?;
        let found = rig.driver.get_security_group(&iid.system_id).await?.rules;
        check(same(&found, &asked.request.rules), || format!("rules of {name}: {found:?}"))?;
        delete(&rig, ResourceKind::SecurityGroup, &iid, &asked.marks).await?;
    }
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// Rules of a security group that stands come and go: what is there already is not made twice, what is gone stays gone,
/// and the others stay. A group that is not there has none.
pub(crate) async fn rules_of_a_standing_group_change(rig: Rig) -> Result<Verdict, Failed> {
    if !rig.driver.capabilities().has(OperationKind::SecurityGroupUpdate) {
        return Ok(Verdict::Skipped("rules of this provider's security groups do not change".to_owned()));
    }
    let ground = Ground::make(&rig).await?;
    let asked = security_group_request("pmks-rules", &ground.network);
    let mut done = carry_out(&rig, &Change::CreateSecurityGroup(asked.clone())).await?;
    let iid = take(&mut done.ids, "pmks-rules")?;
    let rule = |direction, protocol, ports: Option<(u16, u16)>| Rule {
        direction,
        protocol,
        from_port: ports.map(|ports| ports.0),
        to_port: ports.map(|ports| ports.1),
        cidr: cidr("10.20.0.0/16"),
    };
    let stays = asked.request.rules.first().cloned().ok_or_else(|| Failed("no rule".to_owned()))?;
    let everything = Rule::EVERYTHING_OUT;
    let (in_range, out, ping) = (
        rule(Direction::Inbound, Protocol::Udp, Some((53, 54))),
        rule(Direction::Outbound, Protocol::Tcp, Some((443, 443))),
        rule(Direction::Inbound, Protocol::Icmp, None),
    );
    let all = [&stays, &in_range, &out, &ping, &everything];
    for (add, remove) in [
        (vec![&in_range, &out, &stays], vec![]),
        (vec![&in_range, &out], vec![&ping]),
        (vec![&ping], vec![&in_range, &out]),
        (vec![], vec![&in_range]),
        (vec![&out], vec![&ping]),
        // What is added closes nothing; the end of everything closes, and the end of the last one opens nothing.
        (vec![], vec![&everything]),
        (vec![], vec![&out]),
        (vec![&everything], vec![]),
        (vec![&out], vec![&everything]),
    ] {
        let listed = |rules: &[&Rule]| rules.iter().map(|rule| (*rule).clone()).collect::<Vec<_>>();
        let change = UpdateSecurityGroup {
            iid: iid.clone(),
            incarnation: String::new(),
            add: listed(&add),
            remove: listed(&remove),
            marks: Marks { uid: asked.marks.uid.clone(), ..marks() },
        };
        let before = rig.driver.get_security_group(&iid.system_id).await?.rules;
        let mark = rig.calls.mark();
        carry_out(&rig, &Change::UpdateSecurityGroup(change.clone())).await?;
        let sent = rig.calls.changes_since(mark);
        check(sent.is_empty() == change.is_there(&before), || format!("to {before:?} it sent {sent:?}"))?;
        let after = rig.driver.get_security_group(&iid.system_id).await?.rules;
        for one in all {
            let wanted = !remove.contains(&one) && (add.contains(&one) || one.is_among(&before));
            let count = after.iter().filter(|rule| rule.normal() == one.normal()).count();
            check_equal(&count, &usize::from(wanted), &format!("how often {one} is in {after:?}"))?;
        }
        let others = after.iter().filter(|rule| all.iter().all(|one| one.normal() != rule.normal())).count();
        check_equal(&others, &0, "how many other rules it has")?;
    }
    delete(&rig, ResourceKind::SecurityGroup, &iid, &asked.marks).await?;
    let late = UpdateSecurityGroup {
        iid,
        incarnation: String::new(),
        add: vec![ping],
        remove: vec![],
        marks: marks(),
    };
    let error = rig.driver.prepare(&Change::UpdateSecurityGroup(late)).await.err();
    check(error.as_ref().is_some_and(DriverError::is_not_found), || format!("of no group: {error:?}"))?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// The public half of a key pair is given to the cloud, found, refused under a taken name, and removed.
pub(crate) async fn key_pairs_come_and_go(rig: Rig) -> Result<Verdict, Failed> {
    if rig.driver.capabilities().key_pair == KeyPairUse::Unused {
        return Ok(Verdict::Skipped("this provider has no use for key pairs".to_owned()));
    }
    fix_prerequisites(&rig).await?;
    let asked = key_pair_request("pmks-key");
    let mut done = carry_out(&rig, &Change::CreateKeyPair(asked.clone())).await?;
    let iid = take(&mut done.ids, "pmks-key")?;
    let found = rig.driver.get_key_pair(&iid.system_id).await?;
    check_equal(&found.iid.system_id, &iid.system_id, "the key pair")?;
    let listed = rig.driver.list_key_pairs().await?;
    check(listed.contains(&found), || format!("the list lacks {found:?}: {listed:?}"))?;
    if let Err(error) = carry_out(&rig, &Change::CreateKeyPair(key_pair_request("pmks-key"))).await {
        check(*error.kind() == ErrorKind::AlreadyExists, || format!("a taken name is {:?}", error.kind()))?;
    } else {
        return Err(Failed("a second key pair of the same name was made or adopted".to_owned()));
    }
    delete(&rig, ResourceKind::KeyPair, &iid, &asked.marks).await?;
    let listed = rig.driver.list_key_pairs().await?;
    check(listed.iter().all(|one| one.iid.system_id != iid.system_id), || "it is still listed".to_owned())?;
    Ok(Verdict::Passed)
}
