//! Names that no cloud should see.

use pmks_driver::{Change, validate};

use crate::ground::{Ground, key_pair_request, marks, network_request, security_group_request};
use crate::report::check;
use crate::{Failed, Rig, Verdict};

const HOSTILE: &[&str] = &[
    "",
    "-",
    "../../etc",
    "a/b",
    "a b",
    "a\nb",
    "a\u{0}b",
    "a%2fb",
    "한국",
    "é",
    "\u{202e}txet",
    "<script>",
    "';drop table--",
    "${jndi:x}",
    "🙂",
];

/// Hostile names are findings on `name`, known without asking the cloud.
pub(crate) async fn hostile_names_are_refused_before_anything_is_sent(rig: Rig) -> Result<Verdict, Failed> {
    let nowhere = pmks_model::Iid::new("n", "n");
    let ground = Ground {
        network: nowhere.clone(),
        subnets: vec![nowhere.clone()],
        security_groups: Vec::new(),
        key_pair: None,
        marks: marks(),
        machine_type: String::new(),
        step: 1,
        tags: pmks_model::Tags::new(),
    };
    let network = network_request(&rig, "n").await?;
    let mark = rig.calls.mark();
    let long = "a".repeat(10_000);
    for name in HOSTILE.iter().copied().chain([long.as_str()]) {
        let mut network = network.clone();
        name.clone_into(&mut network.request.name);
        for change in [
            Change::CreateCluster(ground.cluster(name, 0)),
            Change::CreateNetwork(network),
            Change::CreateSecurityGroup(security_group_request(name, &nowhere)),
            Change::CreateKeyPair(key_pair_request(name)),
        ] {
            let allowed_here = matches!(
                change,
                Change::CreateKeyPair(_) | Change::CreateSecurityGroup(_) | Change::CreateNetwork(_)
            ) && !name.chars().any(char::is_control)
                && !name.is_empty()
                && name != "-"
                && name.len() < 10_000;
            let findings = validate(&change, rig.driver.capabilities());
            let refused = findings.iter().any(|finding| finding.field == "name");
            check(refused || allowed_here, || format!("{}: {name:?} is allowed", change.kind()))?;
        }
    }
    let sent = rig.calls.since(mark);
    check(sent.is_empty(), || format!("checking names sent {sent:?}"))?;
    Ok(Verdict::Passed)
}
