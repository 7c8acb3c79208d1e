//! Networks: what depends on what, duplicates, pages, tags.

use pmks_simulation::Cloud;

use super::Rig;

#[test]
fn nothing_goes_while_something_depends_on_it() {
    let rig = Rig::new();
    let vpc = rig.ec2("CreateVpc", "CidrBlock=10.0.0.0/16").text("vpcId");
    let subnet = rig.ec2("CreateSubnet", &format!("VpcId={vpc}&CidrBlock=10.0.0.0/24")).text("subnetId");
    let gateway = rig.ec2("CreateInternetGateway", "").text("internetGatewayId");
    let table = rig.ec2("CreateRouteTable", &format!("VpcId={vpc}")).text("routeTableId");
    rig.ec2("AttachInternetGateway", &format!("InternetGatewayId={gateway}&VpcId={vpc}"));
    rig.ec2(
        "CreateRoute",
        &format!("RouteTableId={table}&DestinationCidrBlock=0.0.0.0/0&GatewayId={gateway}"),
    );
    let association = rig.ec2("AssociateRouteTable", &format!("RouteTableId={table}&SubnetId={subnet}"));
    let group = rig
        .ec2("CreateSecurityGroup", &format!("VpcId={vpc}&GroupName=a&GroupDescription=a"))
        .text("groupId");
    let other = rig
        .ec2("CreateSecurityGroup", &format!("VpcId={vpc}&GroupName=b&GroupDescription=b"))
        .text("groupId");
    let rule = "IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId";
    rig.ec2("AuthorizeSecurityGroupIngress", &format!("GroupId={other}&{rule}={group}"));
    let dependency = "DependencyViolation";
    let delete = |action: &str, parameter: &str| rig.refused("ec2", action, parameter);
    assert_eq!(delete("DeleteVpc", &format!("VpcId={vpc}")), dependency);
    assert_eq!(delete("DeleteRouteTable", &format!("RouteTableId={table}")), dependency);
    assert_eq!(delete("DeleteInternetGateway", &format!("InternetGatewayId={gateway}")), dependency);
    assert_eq!(delete("DeleteSecurityGroup", &format!("GroupId={group}")), dependency);
    for (action, parameters) in [
        ("DeleteSecurityGroup", format!("GroupId={other}")),
        ("DeleteSecurityGroup", format!("GroupId={group}")),
        ("DisassociateRouteTable", format!("AssociationId={}", association.text("associationId"))),
        ("DeleteRouteTable", format!("RouteTableId={table}")),
        ("DeleteSubnet", format!("SubnetId={subnet}")),
        ("DetachInternetGateway", format!("InternetGatewayId={gateway}&VpcId={vpc}")),
        ("DeleteInternetGateway", format!("InternetGatewayId={gateway}")),
        ("DeleteVpc", format!("VpcId={vpc}")),
    ] {
        rig.ec2(action, &parameters);
    }
    assert!(rig.cloud.resources().is_empty());
    assert_eq!(delete("DeleteVpc", &format!("VpcId={vpc}")), "InvalidVpcID.NotFound");
}

#[test]
fn duplicates_and_impossible_blocks_are_refused() {
    let rig = Rig::new();
    let vpc = rig.ec2("CreateVpc", "CidrBlock=10.0.0.0/16").text("vpcId");
    rig.ec2("CreateSubnet", &format!("VpcId={vpc}&CidrBlock=10.0.0.0/24"));
    let subnet = |cidr: &str| rig.refused("ec2", "CreateSubnet", &format!("VpcId={vpc}&CidrBlock={cidr}"));
    assert_eq!(subnet("10.0.0.128/25"), "InvalidSubnet.Conflict");
    assert_eq!(subnet("10.1.0.0/24"), "InvalidSubnet.Range");
    assert_eq!(subnet("10.0.1.0/30"), "InvalidSubnet.Range");
    assert_eq!(subnet("nonsense"), "InvalidParameterValue");
    let group = rig
        .ec2("CreateSecurityGroup", &format!("VpcId={vpc}&GroupName=a&GroupDescription=a"))
        .text("groupId");
    let again =
        rig.refused("ec2", "CreateSecurityGroup", &format!("VpcId={vpc}&GroupName=a&GroupDescription=a"));
    assert_eq!(again, "InvalidGroup.Duplicate");
    let ssh = format!("GroupId={group}&IpProtocol=tcp&FromPort=22&ToPort=22&CidrIp=0.0.0.0/0");
    rig.ec2("AuthorizeSecurityGroupIngress", &ssh);
    assert_eq!(rig.refused("ec2", "AuthorizeSecurityGroupIngress", &ssh), "InvalidPermission.Duplicate");
    rig.ec2("RevokeSecurityGroupIngress", &ssh);
    assert_eq!(rig.refused("ec2", "RevokeSecurityGroupIngress", &ssh), "InvalidPermission.NotFound");
}

#[test]
fn the_quota_of_networks_is_awss() {
    let rig = Rig::new();
    for number in 0..5 {
        rig.ec2("CreateVpc", &format!("CidrBlock=10.{number}.0.0/16"));
    }
    assert_eq!(rig.refused("ec2", "CreateVpc", "CidrBlock=10.9.0.0/16"), "VpcLimitExceeded");
}

#[test]
fn pages_show_every_subnet_once() {
    let rig = Rig::new();
    let vpc = rig.ec2("CreateVpc", "CidrBlock=10.0.0.0/16").text("vpcId");
    for number in 0..12 {
        rig.ec2("CreateSubnet", &format!("VpcId={vpc}&CidrBlock=10.0.{number}.0/24"));
    }
    let (mut seen, mut token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = rig.ec2("DescribeSubnets", &format!("MaxResults=5&NextToken={token}"));
        seen.extend(page.texts("subnetId"));
        token = page.text("nextToken");
        pages += 1;
        if token.is_empty() {
            break;
        }
    }
    let mut expected = rig.ids("subnet");
    expected.sort();
    assert_eq!((pages, seen), (3, expected));
    assert_eq!(rig.refused("ec2", "DescribeSubnets", "MaxResults=4"), "InvalidParameterValue");
    assert_eq!(rig.refused("ec2", "DescribeSubnets", "NextToken=strange"), "InvalidParameterValue");
}

#[test]
fn tags_are_given_found_and_taken_back() {
    let rig = Rig::new();
    let specification = "TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=owner&TagSpecification.1.Tag.1.Value=%ED%95%9C";
    let vpc = rig.ec2("CreateVpc", &format!("CidrBlock=10.0.0.0/16&{specification}")).text("vpcId");
    rig.ec2("CreateVpc", "CidrBlock=10.1.0.0/16");
    let filter = "Filter.1.Name=tag:owner&Filter.1.Value.1=%ED%95%9C";
    assert_eq!(rig.ec2("DescribeVpcs", filter).text("vpcId"), vpc);
    rig.ec2("DeleteTags", &format!("ResourceId.1={vpc}&Tag.1.Key=owner"));
    assert!(rig.ec2("DescribeVpcs", filter).texts("vpcId").is_empty());
    let reserved = format!("ResourceId.1={vpc}&Tag.1.Key=aws:x&Tag.1.Value=");
    assert_eq!(rig.refused("ec2", "CreateTags", &reserved), "InvalidParameterValue");
    let both = format!("ResourceId.1={vpc}&ResourceId.2=vpc-0&Tag.1.Key=x&Tag.1.Value=1");
    assert_eq!(rig.refused("ec2", "CreateTags", &both), "InvalidVpcID.NotFound");
    assert!(rig.ec2("DescribeTags", "").texts("key").is_empty(), "all or nothing");
}

#[test]
fn a_client_token_gives_the_same_route_table() {
    let rig = Rig::new();
    let vpc = rig.ec2("CreateVpc", "CidrBlock=10.0.0.0/16").text("vpcId");
    let make = || rig.ec2("CreateRouteTable", &format!("VpcId={vpc}&ClientToken=t")).text("routeTableId");
    assert_eq!(make(), make());
    assert_eq!(rig.ids("routeTable").len(), 1);
    let other = rig.ec2("CreateVpc", "CidrBlock=10.1.0.0/16").text("vpcId");
    let mismatch = rig.refused("ec2", "CreateRouteTable", &format!("VpcId={other}&ClientToken=t"));
    assert_eq!(mismatch, "IdempotentParameterMismatch");
}
