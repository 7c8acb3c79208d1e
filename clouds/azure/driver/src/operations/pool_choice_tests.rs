//! What a pool is made from where the user leaves a choice.

use pmks_model::MachineType;

use super::*;

fn size(vcpus: u32, premium: bool, zones: &[&str]) -> Size {
    let zones = zones.iter().map(|zone| (*zone).to_owned()).collect();
    let machine = MachineType { name: "Standard_D4s_v5".into(), vcpus, zones, ..MachineType::default() };
    Size { machine, premium, ..Size::default() }
}

fn request() -> NodeGroupRequest {
    NodeGroupRequest {
        name: "ga".into(),
        version: VersionRequest::Default,
        machine_type: "standard_d4S_v5".into(),
        image: String::new(),
        root_disk_type: String::new(),
        root_disk_size_gib: Some(64),
        key_pair: None,
        scaling: Scaling { auto_scaling: false, min: 1, max: 4, desired: 2 },
        any_size: false,
    }
}

fn chosen(
    request: &NodeGroupRequest,
    size: Option<&Size>,
    mode: Mode,
    zone: Option<&str>,
) -> (Choice, Vec<String>) {
    let mut findings = Findings::default();
    let zones: Vec<String> = zone.into_iter().flat_map(|zones| zones.split(',')).map(str::to_owned).collect();
    let choice = choose_one(request, &Facts { size, mode, zones: &zones }, "g.", &mut findings);
    (choice, findings.iter().map(|finding| finding.field.clone()).collect())
}

#[test]
fn a_pool_is_what_was_asked_for_and_nothing_more() {
    let (choice, findings) = chosen(&request(), Some(&size(4, true, &["1", "3"])), Mode::System, Some("1,3"));
    assert!(findings.is_empty());
    let subnet = ArmId::parse(
        "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/s",
    )
    .unwrap();
    let tags = Tags::from([("team".to_owned(), "a".to_owned())]);
    let common = Common { version: "1.34.1", subnet: Some(&subnet), tags: &tags };
    let wanted = json!({"count": 2, "mode": "System", "type": "VirtualMachineScaleSets", "osType": "Linux", "osSKU": "Ubuntu",
        "orchestratorVersion": "1.34.1", "enableAutoScaling": false, "tags": {"team": "a"}, "vmSize": "Standard_D4s_v5",
        "osDiskSizeGB": 64, "vnetSubnetID": subnet.to_string(), "availabilityZones": ["1", "3"]});
    assert_eq!(choice.properties(&common), wanted);
    let auto = NodeGroupRequest {
        machine_type: String::new(),
        root_disk_size_gib: None,
        root_disk_type: "Managed".into(),
        scaling: Scaling { auto_scaling: true, min: 1, max: 4, desired: 2 },
        ..request()
    };
    let (choice, findings) = chosen(&auto, None, Mode::User, None);
    assert!(findings.is_empty());
    let properties = choice.properties(&Common { version: "1.34.1", subnet: None, tags: &Tags::new() });
    assert_eq!(
        (&properties["minCount"], &properties["maxCount"], &properties["osDiskType"]),
        (&json!(1), &json!(4), &json!("Managed"))
    );
    for absent in ["vmSize", "osDiskSizeGB", "vnetSubnetID", "availabilityZones"] {
        assert!(properties.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn what_cannot_be_is_a_finding() {
    let good = size(4, true, &["1", "2"]);
    let closed = Size { restricted: "NotAvailableForSubscription".into(), ..good.clone() };
    let with = |change: &dyn Fn(&mut NodeGroupRequest)| {
        let mut request = request();
        change(&mut request);
        request
    };
    let disk = |kind: &'static str, size: Option<u32>| {
        move |request: &mut NodeGroupRequest| {
            kind.clone_into(&mut request.root_disk_type);
            request.root_disk_size_gib = size;
        }
    };
    let any = |kind: &'static str| {
        move |request: &mut NodeGroupRequest| {
            kind.clone_into(&mut request.root_disk_type);
            request.machine_type.clear();
        }
    };
    let host = |gib: u64| Size { host_disk_gib: Some(gib), ..good.clone() };
    let most = |auto_scaling: bool, desired: u32, max: u32| {
        move |request: &mut NodeGroupRequest| {
            request.scaling = Scaling { auto_scaling, min: 1, max, desired };
        }
    };
    let zero = |request: &mut NodeGroupRequest| {
        request.scaling = Scaling { auto_scaling: false, min: 0, max: 1, desired: 0 }
    };
    for (request, size, mode, zone, expected) in [
        (request(), None, Mode::User, None, "g.machineType"),
        (request(), Some(&closed), Mode::User, None, "g.machineType"),
        (request(), Some(&size(1, true, &[])), Mode::User, None, "g.machineType"),
        (request(), Some(&good), Mode::User, Some("3"), "g.machineType"),
        (request(), Some(&good), Mode::User, Some("1,3"), "g.machineType"),
        (request(), Some(&size(4, true, &[])), Mode::User, Some("1"), "g.machineType"),
        (with(&|request| request.image = "Windows2022".into()), Some(&good), Mode::User, None, "g.image"),
        (
            with(&|request| request.root_disk_type = "StandardSSD".into()),
            Some(&good),
            Mode::User,
            None,
            "g.rootDiskType",
        ),
        (
            with(&|request| request.root_disk_type = "Premium SSD".into()),
            Some(&size(4, false, &[])),
            Mode::User,
            None,
            "g.rootDiskType",
        ),
        (with(&any("Ephemeral")), None, Mode::User, None, "g.rootDiskType"),
        (with(&any("Standard SSD")), None, Mode::User, None, "g.rootDiskType"),
        (with(&any("PremiumSSD")), None, Mode::User, None, "g.rootDiskType"),
        (with(&disk("Ephemeral", Some(30))), Some(&host(0)), Mode::User, None, "g.rootDiskType"),
        (with(&disk("Ephemeral", Some(101))), Some(&host(100)), Mode::User, None, "g.rootDiskType"),
        (with(&disk("Ephemeral", None)), Some(&host(127)), Mode::User, None, "g.rootDiskType"),
        (with(&zero), Some(&good), Mode::System, None, "g.scaling.min"),
        (with(&most(false, 1001, 1)), Some(&good), Mode::User, None, "g.scaling.desired"),
        (with(&most(true, 1, 1001)), Some(&good), Mode::User, None, "g.scaling.max"),
    ] {
        assert_eq!(chosen(&request, size, mode, zone).1, [expected]);
    }
    for (request, size) in [
        (with(&zero), &good),
        (with(&disk("Ephemeral", Some(100))), &host(100)),
        (with(&disk("Ephemeral", Some(2048))), &good),
        (with(&most(false, 1000, 2000)), &good),
    ] {
        assert!(chosen(&request, Some(size), Mode::User, None).1.is_empty(), "{request:?}");
    }
}

#[test]
fn disks_are_what_the_machine_type_makes_of_them() {
    for (asked, premium, expected) in [
        ("", true, None),
        ("default", false, None),
        ("Managed", true, Some("Managed")),
        ("Ephemeral", true, Some("Ephemeral")),
        ("PremiumSSD", true, Some("Managed")),
        ("Premium SSD", true, Some("Managed")),
        ("StandardSSD", false, Some("Managed")),
    ] {
        let request = NodeGroupRequest { root_disk_type: asked.into(), ..request() };
        let (choice, findings) = chosen(&request, Some(&size(4, premium, &[])), Mode::User, None);
        assert_eq!((choice.disk_type, findings.len()), (expected, 0), "{asked}");
    }
}

#[test]
fn nodes_are_counted_whoever_chooses_the_machine_type() {
    let any = NodeGroupRequest { machine_type: String::new(), ..request() };
    assert_eq!(nodes(&any, None), Wanted::of_any(2));
    assert_eq!(nodes(&request(), Some(&size(4, true, &[]))), Wanted::of(&size(4, true, &[]), 2));
}

#[test]
fn a_pools_version_is_within_reach_of_its_cluster() {
    let cluster: Version = "1.34.1".parse().unwrap();
    let offered = |text: &str| pmks_model::KubernetesVersion {
        version: text.parse().unwrap(),
        default: false,
        support: pmks_model::Support::Standard,
        end_of_standard_support: None,
        end_of_extended_support: None,
    };
    let offered =
        [offered("1.32.5"), offered("1.33.2"), offered("1.33.9"), offered("1.34.1"), offered("1.35.0")];
    let version = |text: &str| pool_version(&text.parse().unwrap(), &cluster, 3, &offered);
    assert_eq!(version("default").unwrap(), "1.34.1");
    assert_eq!(version("1.34").unwrap(), "1.34.1");
    assert_eq!(version("1.33").unwrap(), "1.33.9");
    assert_eq!(version("1.33.2").unwrap(), "1.33.2");
    assert!(version("1.35").unwrap_err().plain().contains("ahead"));
    assert!(version("1.30").unwrap_err().plain().contains("at most 3 minors"));
    assert!(version("1.31").unwrap_err().plain().contains("not offered"));
}
