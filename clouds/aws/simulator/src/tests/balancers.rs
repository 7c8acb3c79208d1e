//! Balancers that a cluster's controllers make: what comes with them, what lingers, what stays.

use crate::elb::controller;
use crate::elb::{Kind, Owner};
use crate::world::Place;

use super::Rig;

fn owner() -> Owner {
    Owner { cluster: "demo".to_owned(), namespace: "shop".to_owned(), service: "web".to_owned() }
}

fn make(rig: &Rig, kind: Kind) -> String {
    let vpc = rig.ec2("CreateVpc", "CidrBlock=10.0.0.0/16").text("vpcId");
    let subnets = ["10.0.0.0/24 ap-northeast-2a", "10.0.1.0/24 ap-northeast-2b"].map(|text| {
        let (cidr, zone) = text.split_once(' ').unwrap();
        rig.ec2("CreateSubnet", &format!("VpcId={vpc}&CidrBlock={cidr}&AvailabilityZone={zone}"))
            .text("subnetId")
    });
    let place = place(rig);
    rig.cloud
        .core()
        .with_world(|world, now| controller::make(world, &place, kind, &owner(), &subnets, now))
        .unwrap();
    vpc
}

fn place(rig: &Rig) -> Place {
    let account = rig.call_with("sts", "GetCallerIdentity", "", Vec::new()).text("Account");
    Place { account, region: "ap-northeast-2".to_owned() }
}

#[test]
fn a_service_takes_its_balancer_interfaces_and_group_along_in_time() {
    let rig = Rig::new();
    make(&rig, Kind::Classic);
    assert_eq!(
        (rig.ids("loadBalancer").len(), rig.ids("networkInterface").len(), rig.ids("securityGroup").len()),
        (1, 2, 1)
    );
    let place = place(&rig);
    assert!(rig.cloud.core().with_world(|world, now| controller::service_deleted(
        world,
        &place,
        &owner(),
        now
    )));
    assert!(!rig.cloud.core().with_world(|world, now| controller::service_deleted(
        world,
        &place,
        &owner(),
        now
    )));
    rig.advance(21);
    assert_eq!(
        (rig.ids("loadBalancer").len(), rig.ids("networkInterface").len()),
        (0, 2),
        "interfaces linger"
    );
    rig.advance(61);
    assert_eq!((rig.ids("networkInterface").len(), rig.ids("securityGroup").len()), (0, 0));
}

#[test]
fn a_balancer_deleted_by_the_api_leaves_the_controllers_group() {
    let rig = Rig::new();
    let vpc = make(&rig, Kind::Application);
    let call = |action: &str, parameters: &str| {
        rig.call_with("elasticloadbalancing", action, parameters, Vec::new())
    };
    let arn = call("DescribeLoadBalancers", "").text("LoadBalancerArn");
    assert_eq!(call("DescribeLoadBalancers", "").text("Code"), "provisioning");
    rig.advance(121);
    assert_eq!(call("DescribeLoadBalancers", "").text("Code"), "active");
    let target = call("DescribeTargetGroups", &format!("LoadBalancerArn={arn}")).text("TargetGroupArn");
    assert_eq!(
        call("DeleteTargetGroup", &format!("TargetGroupArn={target}")).code.as_deref(),
        Some("ResourceInUse")
    );
    assert_eq!(call("DeleteLoadBalancer", &format!("LoadBalancerArn={arn}")).status, 200);
    assert_eq!(
        call("DeleteLoadBalancer", &format!("LoadBalancerArn={arn}")).status,
        200,
        "twice is no error"
    );
    assert_eq!(rig.refused("ec2", "DeleteVpc", &format!("VpcId={vpc}")), "DependencyViolation");
    rig.advance(61);
    assert!(rig.ids("networkInterface").is_empty());
    assert_eq!(rig.ids("securityGroup").len(), 1);
    assert_eq!(call("DeleteTargetGroup", &format!("TargetGroupArn={target}")).status, 200);
}
