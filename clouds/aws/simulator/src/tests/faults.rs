//! Faults that AWS itself acts out, refusals in each protocol's shape, throttling, and a world kept on disk.

use pmks_simulation::{Cloud, Effect, Identified, Refusal, Rule};

use super::Rig;

#[test]
fn a_quota_fault_is_each_services_own_limit() {
    let rig = Rig::new();
    let quota =
        |service, action, parameters| rig.call_with(service, action, parameters, vec![Effect::Quota]).code;
    assert_eq!(quota("ec2", "CreateVpc", "CidrBlock=10.0.0.0/16").as_deref(), Some("VpcLimitExceeded"));
    assert_eq!(quota("ec2", "CreateInternetGateway", "").as_deref(), Some("InternetGatewayLimitExceeded"));
    let trust = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%22*%22%2C%22Action%22%3A%22*%22%7D%7D";
    let role = format!("RoleName=r&AssumeRolePolicyDocument={trust}");
    assert_eq!(quota("iam", "CreateRole", &role).as_deref(), Some("LimitExceeded"));
    assert!(rig.cloud.resources().is_empty());
}

#[test]
fn stale_reads_show_the_world_of_before() {
    let rig = Rig::new();
    rig.cloud.controls().faults.add(Rule::new("ec2", "DescribeVpcs", Effect::StaleReads { seconds: 60 }));
    let vpc = rig.ec2("CreateVpc", "CidrBlock=10.0.0.0/16").text("vpcId");
    let read = || {
        rig.call_with(
            "ec2",
            "DescribeVpcs",
            &format!("VpcId.1={vpc}"),
            vec![Effect::StaleReads { seconds: 60 }],
        )
    };
    assert_eq!(read().code.as_deref(), Some("InvalidVpcID.NotFound"));
    rig.advance(61);
    assert_eq!(read().text("vpcId"), vpc);
}

#[test]
fn refusals_have_each_protocols_shape() {
    let rig = Rig::new();
    let refuse = |service: &str, refusal: &Refusal| {
        let caller = Some(rig.key.0.clone());
        let call = Identified { service: service.into(), action: "Act".into(), resource: None, caller };
        let answered = rig.cloud.refuse(&call, refusal);
        let body = String::from_utf8(answered.response.body().to_vec()).unwrap();
        (answered.response.status().as_u16(), answered.code.unwrap_or_default(), body)
    };
    let (status, code, body) = refuse("ec2", &Refusal::Throttle);
    assert_eq!((status, code.as_str()), (503, "RequestLimitExceeded"));
    assert!(body.contains("<Response><Errors><Error><Code>RequestLimitExceeded</Code>"), "{body}");
    let (status, code, body) = refuse("iam", &Refusal::Throttle);
    assert_eq!((status, code.as_str()), (400, "Throttling"));
    assert!(
        body.contains(
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>"
        ),
        "{body}"
    );
    let (status, code, body) = refuse("eks", &Refusal::Deny);
    assert_eq!((status, code.as_str()), (403, "AccessDeniedException"));
    assert!(body.contains("user/pmks is not authorized to perform: eks:Act"), "{body}");
}

#[test]
fn calls_beyond_the_bucket_are_throttled_until_it_fills() {
    let rig = Rig::new();
    let call = || rig.call_with("ec2", "DescribeVpcs", "", Vec::new()).code;
    assert!((0..100).all(|_| call().is_none()));
    assert_eq!(call().as_deref(), Some("RequestLimitExceeded"));
    rig.advance(1);
    assert_eq!(call(), None);
}

#[test]
fn a_world_goes_on_from_its_snapshot() {
    let rig = Rig::new();
    let vpc = rig.ec2("CreateVpc", "CidrBlock=10.0.0.0/16").text("vpcId");
    let snapshot = rig.cloud.snapshot().unwrap();
    let mut other = Rig::new();
    other.cloud.restore(snapshot.clone()).unwrap();
    other.key.clone_from(&rig.key);
    assert_eq!(other.ec2("DescribeVpcs", "").text("vpcId"), vpc);
    let next = other.ec2("CreateVpc", "CidrBlock=10.1.0.0/16").text("vpcId");
    assert_ne!(next, vpc);
    let mut strange = snapshot;
    strange["version"] = 999.into();
    assert!(other.cloud.restore(strange).is_err());
    assert_eq!(other.ids("vpc").len(), 2, "a refused snapshot changes nothing");
    rig.cloud.reset();
    assert!(rig.cloud.resources().is_empty());
}

#[test]
fn unknown_services_and_actions_are_refused() {
    let rig = Rig::new();
    assert_eq!(rig.refused("s3", "ListBuckets", ""), "InvalidService");
    assert_eq!(rig.refused("ec2", "RunInstances", ""), "InvalidAction");
    assert_eq!(rig.refused("iam", "CreateUser", ""), "InvalidAction");
    let got = rig.call_with("ec2", "CreateVpc", "CidrBlock=10.0.0.0/16&DryRun=true", Vec::new());
    assert_eq!((got.status, got.code.as_deref()), (412, Some("DryRunOperation")));
    assert!(rig.cloud.resources().is_empty());
}
