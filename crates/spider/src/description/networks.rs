//! VPCs with their subnets, security groups, key pairs.

use super::{AT, AT_BY_FORCE, NOTHING, Operation, asks, described, makes};

pub(super) const ALL: &[Operation] = described! {
    POST "/vpc" "create-vpc" makes("VPCRequest") => "VPCInfo", "Creates a VPC with subnets.";
    GET "/vpc" "list-vpc" AT => "{vpc: [VPCInfo]}", "Lists VPCs.";
    GET "/vpc/{Name}" "get-vpc" AT => "VPCInfo", "Gets a VPC.";
    DELETE "/vpc/{Name}" "delete-vpc" AT_BY_FORCE => "Result", "Deletes a VPC.";
    POST "/regvpc" "register-vpc" asks("RegisterRequest") => "VPCInfo", "Takes over a VPC of the cloud.";
    DELETE "/regvpc/{Name}" "unregister-vpc" AT => "Result", "Forgets a VPC, which stays at the cloud.";
    GET "/allvpc" "list-all-vpc" AT => "AllList", "Lists VPCs known here, at the cloud, or at both.";
    GET "/allvpcinfo" "list-all-vpc-info" AT => "AllVPCInfo", "Lists VPCs known here, at the cloud, or at both, each whole.";
    DELETE "/cspvpc/{Id}" "delete-csp-vpc" AT => "Result", "Deletes a VPC by the cloud's identifier.";
    GET "/countvpc" "count-all-vpc" NOTHING => "Count", "Counts VPCs.";
    GET "/countvpc/{ConnectionName}" "count-vpc-by-connection" NOTHING => "Count", "Counts the VPCs of a connection.";

    POST "/vpc/{VPCName}/subnet" "add-subnet" makes("SubnetRequest") => "VPCInfo", "Adds a subnet to a VPC.";
    GET "/vpc/{VPCName}/subnet/{SubnetName}" "get-subnet" AT => "SubnetInfo", "Gets a subnet.";
    DELETE "/vpc/{VPCName}/subnet/{SubnetName}" "remove-subnet" AT_BY_FORCE => "Result", "Deletes a subnet.";
    DELETE "/vpc/{VPCName}/cspsubnet/{Id}" "remove-csp-subnet" AT => "Result", "Deletes a subnet by the cloud's identifier.";
    POST "/regsubnet" "register-subnet" asks("SubnetRegisterRequest") => "VPCInfo", "Takes over a subnet of the cloud.";
    DELETE "/regsubnet/{Name}" "unregister-subnet" asks("SubnetUnregisterRequest") => "Result", "Forgets a subnet, which stays at the cloud.";
    GET "/countsubnet" "count-all-subnet" NOTHING => "Count", "Counts subnets.";
    GET "/countsubnet/{ConnectionName}" "count-subnet-by-connection" NOTHING => "Count", "Counts the subnets of a connection.";

    POST "/securitygroup" "create-securitygroup" makes("SecurityGroupRequest") => "SecurityInfo", "Creates a security group.";
    GET "/securitygroup" "list-securitygroup" AT => "{securitygroup: [SecurityInfo]}", "Lists security groups.";
    GET "/securitygroup/{Name}" "get-securitygroup" AT => "SecurityInfo", "Gets a security group.";
    GET "/securitygroup/vpc/{VPCName}" "list-vpc-securitygroup" AT => "{securitygroup: [SecurityInfo]}", "Lists the security groups of a VPC.";
    DELETE "/securitygroup/{Name}" "delete-securitygroup" AT_BY_FORCE => "Result", "Deletes a security group.";
    POST "/securitygroup/{SGName}/rules" "add-rule" asks("RulesRequest") => "SecurityInfo", "Adds rules to a security group.";
    DELETE "/securitygroup/{SGName}/rules" "remove-rule" asks("RulesRequest") => "Result", "Removes rules from a security group.";
    DELETE "/securitygroup/{SGName}/csprules" "" asks("RulesRequest") => "Result", "Removes rules from a security group.";
    GET "/getsecuritygroupowner" "" asks("CSPRequest") => "IID", "Gets the VPC of a security group of the cloud.";
    POST "/getsecuritygroupowner" "get-sg-owner-vpc" asks("CSPRequest") => "IID", "Gets the VPC of a security group of the cloud.";
    POST "/regsecuritygroup" "register-securitygroup" asks("VPCRegisterRequest") => "SecurityInfo", "Takes over a security group of the cloud.";
    DELETE "/regsecuritygroup/{Name}" "unregister-securitygroup" AT => "Result", "Forgets a security group, which stays at the cloud.";
    GET "/allsecuritygroup" "list-all-securitygroup" AT => "AllList", "Lists security groups known here, at the cloud, or at both.";
    GET "/allsecuritygroupinfo" "list-all-securitygroup-info" AT => "AllSecurityInfo", "Lists security groups known here, at the cloud, or at both, each whole.";
    DELETE "/cspsecuritygroup/{Id}" "delete-csp-securitygroup" AT => "Result", "Deletes a security group by the cloud's identifier.";
    GET "/countsecuritygroup" "count-all-securitygroup" NOTHING => "Count", "Counts security groups.";
    GET "/countsecuritygroup/{ConnectionName}" "count-securitygroup-by-connection" NOTHING => "Count", "Counts the security groups of a connection.";

    POST "/keypair" "create-keypair" makes("KeyPairRequest") => "KeyPairInfo", "Creates a key pair; its private half is in this answer alone.";
    GET "/keypair" "list-keypair" AT => "{keypair: [KeyPairInfo]}", "Lists key pairs.";
    GET "/keypair/{Name}" "get-keypair" AT => "KeyPairInfo", "Gets a key pair.";
    DELETE "/keypair/{Name}" "delete-keypair" AT_BY_FORCE => "Result", "Deletes a key pair.";
    POST "/regkeypair" "register-keypair" asks("RegisterRequest") => "KeyPairInfo", "Takes over a key pair of the cloud.";
    DELETE "/regkeypair/{Name}" "unregister-keypair" AT => "Result", "Forgets a key pair, which stays at the cloud.";
    GET "/allkeypair" "list-all-keypair" AT => "AllList", "Lists key pairs known here, at the cloud, or at both.";
    GET "/allkeypairinfo" "list-all-keypair-info" AT => "AllKeyPairInfo", "Lists key pairs known here, at the cloud, or at both, each whole.";
    DELETE "/cspkeypair/{Id}" "delete-csp-keypair" AT => "Result", "Deletes a key pair by the cloud's identifier.";
    GET "/countkeypair" "count-all-keypair" NOTHING => "Count", "Counts key pairs.";
    GET "/countkeypair/{ConnectionName}" "count-keypair-by-connection" NOTHING => "Count", "Counts the key pairs of a connection.";
};
