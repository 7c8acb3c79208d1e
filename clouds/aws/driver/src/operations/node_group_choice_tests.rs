//! A table over what users write for a node group.

use pmks_model::Iid;
use serde_json::{Value, json};

use super::*;

fn machine(architecture: &str, gpus: u32) -> MachineType {
    MachineType {
        architecture: architecture.into(),
        gpus,
        zones: vec!["z-a".into()],
        ..MachineType::default()
    }
}

fn chosen(request: &Value, facts: &Facts, settings: &GroupSettings) -> (Choice, String) {
    let mut whole = json!({"name": "g", "scaling": {"autoScaling": false, "min": 1, "max": 2, "desired": 1}});
    whole.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
    let request: NodeGroupRequest = serde_json::from_value(whole).unwrap();
    let mut findings = Findings::default();
    let choice = choose_one(&request, facts, settings, "", &mut findings);
    (choice, findings.to_string())
}

fn x86() -> Facts {
    Facts { machine: Some(machine("x86_64", 0)), ..Facts::default() }
}

#[test]
fn the_machine_decides_the_image() {
    for (architecture, gpus, ami) in [
        ("x86_64", 0, "AL2023_x86_64_STANDARD"),
        ("arm64", 0, "AL2023_ARM_64_STANDARD"),
        ("x86_64", 1, "AL2023_x86_64_NVIDIA"),
        ("arm64", 1, "AL2023_ARM_64_NVIDIA"),
    ] {
        let facts = Facts { machine: Some(machine(architecture, gpus)), ..Facts::default() };
        let (choice, findings) = chosen(&json!({"image": "default"}), &facts, &GroupSettings::default());
        assert_eq!((choice.ami_type.as_deref(), findings.as_str()), (Some(ami), ""));
        assert_eq!(choice.instance_types, ["t3.medium"]);
    }
}

#[test]
fn what_cannot_be_is_named_by_field() {
    let at = GroupSettings {
        cluster_version: Some("1.33".into()),
        zones: vec!["z-b".into()],
        ..GroupSettings::default()
    };
    for (request, facts, settings, expected) in [
        (
            json!({"image": "ubuntu"}),
            x86(),
            GroupSettings::default(),
            "image: must be an AMI (ami-…), a launch template",
        ),
        (
            json!({"image": "CUSTOM"}),
            x86(),
            GroupSettings::default(),
            "image: must be an AMI (ami-…), a launch template",
        ),
        (json!({"image": "ami-0123"}), x86(), GroupSettings::default(), "image: there is no such AMI"),
        (
            json!({"image": "AL2023_ARM_64_STANDARD"}),
            x86(),
            GroupSettings::default(),
            "image: is for arm64 and t3.medium is x86_64",
        ),
        (
            json!({"machineType": "x9.huge"}),
            Facts::default(),
            GroupSettings::default(),
            "machineType: \"x9.huge\" is not offered",
        ),
        (
            json!({}),
            x86(),
            at.clone(),
            "machineType: \"t3.medium\" is offered in none of the subnets' zones (z-b)",
        ),
        (
            json!({"version": "1.32"}),
            x86(),
            GroupSettings { zones: vec![], ..at.clone() },
            "version: EKS makes node groups of the cluster's own version (1.33)",
        ),
        (
            json!({"version": "1.33.1"}),
            x86(),
            GroupSettings { zones: vec![], ..at.clone() },
            "version: EKS makes node groups of the cluster's own version (1.33)",
        ),
        (json!({"version": "1.33"}), x86(), GroupSettings { zones: vec![], ..at }, ""),
        (
            json!({"rootDiskSizeGib": 19}),
            x86(),
            GroupSettings::default(),
            "rootDiskSizeGib: the AMIs of AL2023_x86_64_STANDARD have 20 GiB already",
        ),
        (json!({"rootDiskSizeGib": 20}), x86(), GroupSettings::default(), ""),
        (
            json!({"image": "AL2_x86_64"}),
            x86(),
            GroupSettings { cluster_version: Some("1.33".into()), ..GroupSettings::default() },
            "image: EKS has no AL2_x86_64 for Kubernetes 1.33: it ends with 1.32",
        ),
        (
            json!({"image": "AL2_x86_64"}),
            x86(),
            GroupSettings { cluster_version: Some("1.32".into()), ..GroupSettings::default() },
            "",
        ),
        (json!({"image": "AL2_x86_64", "rootDiskSizeGib": 8}), x86(), GroupSettings::default(), ""),
        (
            json!({"image": "lt-1", "rootDiskSizeGib": 30}),
            Facts::default(),
            GroupSettings::default(),
            "rootDiskSizeGib: belongs into the launch template",
        ),
        (
            json!({"image": "lt-1", "keyPair": {"nameId": "k", "systemId": "k"}}),
            Facts { key: Some("k".into()), ..Facts::default() },
            GroupSettings::default(),
            "keyPair: belongs into the launch template",
        ),
    ] {
        let (_, findings) = chosen(&request, &facts, &settings);
        assert!(
            findings.starts_with(expected) && findings.is_empty() == expected.is_empty(),
            "{request}: {findings}"
        );
    }
}

#[test]
fn a_launch_template_leaves_the_rest_to_itself() {
    let (choice, findings) =
        chosen(&json!({"image": "lt-1:4"}), &Facts::default(), &GroupSettings::default());
    assert_eq!(findings, "");
    let template = eks::LaunchTemplate { id: Some("lt-1".into()), name: None, version: Some("4".into()) };
    let expected = Choice { name: "g".into(), launch_template: Some(template), ..Choice::default() };
    assert_eq!(choice, expected);
    let typed = Facts { machine: Some(machine("arm64", 0)), ..Facts::default() };
    let (choice, _) =
        chosen(&json!({"image": "lt-1", "machineType": "m7g.large"}), &typed, &GroupSettings::default());
    assert_eq!(choice.instance_types, ["m7g.large"]);
    assert_eq!(choice.launch_template.unwrap().version, None);
}

#[test]
fn who_may_log_in_is_said() {
    let key = |name: &str| Facts { key: Some(name.into()), ..x86() };
    let pair = json!({"keyPair": Iid::new("k", "k")});
    let guarded = GroupSettings { security_groups: vec!["sg-1".into()], ..GroupSettings::default() };
    let (choice, _) = chosen(&pair, &key("ops"), &guarded);
    assert!(choice.notices.is_empty());
    let remote = choice.remote_access.unwrap();
    assert_eq!(
        (remote.ec2_ssh_key.as_deref(), remote.source_security_groups),
        (Some("ops"), vec!["sg-1".to_owned()])
    );
    let (choice, _) = chosen(&pair, &key("ops"), &GroupSettings::default());
    assert!(choice.notices[0].contains("port 22 to all addresses"));
    let (_, findings) = chosen(&pair, &key(""), &guarded);
    assert_eq!(findings, "keyPair: there is no such key pair in this account and region");
}

fn ami(change: &Value) -> Facts {
    let entry = |key: &str, default: &str| change[key].as_str().unwrap_or(default).to_owned();
    let image = wire::Image {
        image_id: "ami-1".into(),
        name: entry("name", "ours-1"),
        image_state: entry("state", "available"),
        architecture: entry("architecture", "x86_64"),
        platform: entry("platform", ""),
        root_device_name: "/dev/xvda".into(),
        block_device_mapping: crate::query::List {
            entries: vec![wire::BlockDevice {
                device_name: "/dev/xvda".into(),
                ebs: wire::Ebs { volume_size: Some(20) },
            }],
        },
    };
    Facts { key: Some("ops".into()), image: Some(image), ..x86() }
}

/// A version of a template that says this, as EC2 answers it.
fn given(data: &str) -> Facts {
    let xml = format!(
        "<DescribeLaunchTemplateVersionsResponse><launchTemplateVersionSet><item><launchTemplateId>lt-1</launchTemplateId>\
         <launchTemplateName>ours</launchTemplateName><versionNumber>4</versionNumber>\
         <launchTemplateData>{data}</launchTemplateData></item></launchTemplateVersionSet>\
         </DescribeLaunchTemplateVersionsResponse>"
    );
    let answer: wire::DescribeLaunchTemplateVersions =
        crate::query::read(crate::query::QueryService::Ec2, &xml).unwrap();
    let found = answer.launch_template_version_set.entries.into_iter().next().unwrap();
    Facts { template: Given::Read(found), machine: Some(machine("arm64", 0)), ..Facts::default() }
}

#[test]
fn what_eks_refuses_of_a_template_is_found_before_a_control_plane_is_made() {
    let typed = "<imageId>ami-1</imageId><instanceType>m7g.large</instanceType>";
    for (asked, facts, expected) in [
        (json!({}), given(typed), ""),
        (
            json!({"machineType": "m7g.large"}),
            given(typed),
            "machineType: the launch template names m7g.large already",
        ),
        (
            json!({}),
            Facts { template: Given::Missing("it does not exist".into()), ..Facts::default() },
            "image: cannot be used in this account and region: it does not exist",
        ),
        (
            json!({}),
            Facts { machine: None, ..given(typed) },
            "image: \"m7g.large\" is not offered in this region",
        ),
        (
            json!({}),
            given("<iamInstanceProfile><name>nodes</name></iamInstanceProfile>"),
            "image: lt-1 version 4 (ours) says an instance profile: EKS makes",
        ),
        (
            json!({}),
            given(
                "<networkInterfaceSet><item><deviceIndex>0</deviceIndex><subnetId>subnet-1</subnetId></item></networkInterfaceSet>",
            ),
            "image: lt-1 version 4 (ours) says a subnet of a network interface",
        ),
        (
            json!({}),
            given("<instanceMarketOptions><marketType>spot</marketType></instanceMarketOptions>"),
            "image: lt-1 version 4 (ours) says a request for spot machines",
        ),
        (
            json!({}),
            given(
                "<hibernationOptions><configured>true</configured></hibernationOptions>\
                 <instanceInitiatedShutdownBehavior>stop</instanceInitiatedShutdownBehavior>",
            ),
            "image: lt-1 version 4 (ours) says hibernation, a shutdown behaviour",
        ),
        (json!({}), given("<hibernationOptions><configured>false</configured></hibernationOptions>"), ""),
    ] {
        let mut whole = json!({"image": "lt-1"});
        whole.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
        let (_, findings) = chosen(&whole, &facts, &GroupSettings::default());
        assert!(
            findings.starts_with(expected) && findings.is_empty() == expected.is_empty(),
            "{whole}: {findings}"
        );
    }
}

#[test]
fn a_templates_version_is_kept_and_said() {
    let (choice, _) = chosen(
        &json!({"image": "lt-1"}),
        &given("<instanceType>m7g.large</instanceType>"),
        &GroupSettings::default(),
    );
    // EKS' own default image would be for other machines.
    assert_eq!(
        (choice.ami_type.as_deref(), choice.instance_types.len()),
        (Some("AL2023_ARM_64_STANDARD"), 0)
    );
    assert_eq!(choice.launch_template.as_ref().unwrap().version.as_deref(), Some("4"));
    let mut prepared = Prepared::default();
    choice.tell(&mut prepared);
    let resolved = |key: &str| prepared.resolved.get(key).cloned().unwrap_or_default();
    assert_eq!(resolved("image of g"), "lt-1 version 4 (ours)");
    assert_eq!(resolved("machine type of g"), "m7g.large");
    let (choice, _) =
        chosen(&json!({"image": "lt-1"}), &given("<imageId>ami-1</imageId>"), &GroupSettings::default());
    assert_eq!(choice.ami_type, None);
}

#[test]
fn an_ami_brings_a_template_of_its_own() {
    let settings = GroupSettings { security_groups: vec!["sg-1".into()], ..GroupSettings::default() };
    let asked = json!({"image": "ami-1", "rootDiskSizeGib": 50, "keyPair": Iid::new("k", "k")});
    let (choice, findings) = chosen(&asked, &ami(&json!({})), &settings);
    assert_eq!(findings, "");
    let template = Template {
        image: "ami-1".into(),
        key: Some("ops".into()),
        disk: Some(("/dev/xvda".into(), 50)),
        security_groups: vec!["sg-1".into()],
    };
    assert_eq!(choice.template, Some(template));
    // What stands in the template is refused beside it.
    assert_eq!((choice.disk_size, &choice.ami_type, &choice.remote_access), (None, &None, &None));
    assert_eq!(choice.instance_types, ["t3.medium"]);
    assert!(choice.notices[0].contains("a key pair opens no port"));
    let mut prepared = Prepared::default();
    choice.tell(&mut prepared);
    assert_eq!(prepared.resolved.get("image of g").map(String::as_str), Some("ami-1"));
}

#[test]
fn an_ami_that_cannot_be_is_named() {
    for (asked, image, says) in [
        (json!({}), json!({"state": "pending"}), "image: cannot be used: EC2 says that it is \"pending\""),
        (json!({}), json!({"platform": "windows"}), "image: pmks prepares nodes of Amazon Linux alone"),
        (
            json!({}),
            json!({"name": "bottlerocket-aws-k8s-1.33"}),
            "image: pmks prepares nodes of Amazon Linux",
        ),
        (json!({}), json!({"architecture": "arm64"}), "image: is for arm64 and t3.medium is x86_64"),
        (json!({"rootDiskSizeGib": 8}), json!({}), "rootDiskSizeGib: the AMI's own disk has 20 GiB already"),
    ] {
        let mut whole = json!({"image": "ami-1"});
        whole.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
        let (_, findings) = chosen(&whole, &ami(&image), &GroupSettings::default());
        assert!(findings.starts_with(says), "{findings}");
    }
}
