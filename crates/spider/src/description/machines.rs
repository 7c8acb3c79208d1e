//! Machines that are nodes, tags, names at the cloud, and the end of all that a connection has.

use super::{AT, Body, NOTHING, Operation, Sends, asks, described};

const OF_A_RESOURCE: Sends = Sends { body: Body::Connection, query: &["ResourceType", "ResourceName"] };
const OF_A_TYPE: Sends = Sends { body: Body::Connection, query: &["ResourceType"] };

pub(super) const ALL: &[Operation] = described! {
    GET "/vm" "list-vm" AT => "{vm: [VMInfo]}", "Lists the machines that are nodes of clusters known here.";
    GET "/vm/{Name}" "get-vm" AT => "VMInfo", "Gets a machine that is a node.";
    GET "/cspvm/{Id}" "get-csp-vm" AT => "VMInfo", "Gets a machine that is a node, by the cloud's identifier.";
    GET "/vmstatus" "list-vm-status" AT => "{vmstatus: [VMStatusInfo]}", "Lists the states of the machines that are nodes.";
    GET "/vmstatus/{Name}" "get-vm-status" AT => "{Status: string}", "Gets the state of a machine that is a node.";
    GET "/allvm" "list-all-vm" AT => "", "Lists all machines of an account: not those of others than clusters here.";
    GET "/allvminfo" "list-all-vm-info" AT => "", "Lists all machines of an account whole: not those of others than clusters here.";
    GET "/countvm" "count-all-vm" NOTHING => "Count", "Counts the machines that are nodes.";
    GET "/countvm/{ConnectionName}" "count-vm-by-connection" NOTHING => "Count", "Counts the machines that are nodes at a connection.";

    POST "/tag" "add-tag" asks("TagRequest") => "KeyValue", "Gives a cluster, a VPC, a subnet, a security group or a key pair a tag.";
    GET "/tag" "list-tag" OF_A_RESOURCE => "{tag: [KeyValue], resourceType: string}", "Lists the tags of a cluster, a VPC, a subnet, a security group or a key pair.";
    GET "/tag/{Key}" "get-tag" OF_A_RESOURCE => "KeyValue", "Gets a tag of a cluster, a VPC, a subnet, a security group or a key pair.";
    DELETE "/tag/{Key}" "remove-tag" asks("TaggedRequest") => "Result", "Takes a tag off a cluster, a VPC, a subnet, a security group or a key pair.";

    GET "/cspresourcename/{Name}" "get-cspresourcename" OF_A_TYPE => "{Name: string}", "Gets the name that a resource was made with at the cloud.";
    GET "/cspresourceinfo/{Name}" "get-cspresourceinfo" OF_A_TYPE => "object", "Gets what the cloud itself says of a resource, without secrets.";
    GET "/orgregion" "list-org-region" AT => "", "Gets the cloud's own words of its regions: /regionzone says what they mean.";
    GET "/orgzone" "list-org-zone" AT => "", "Gets the cloud's own words of its zones: /regionzone says what they mean.";
    GET "/preconfig/orgregion" "list-preconfigured-original-org-region" NOTHING => "", "Gets the cloud's own words of its regions: /regionzone says what they mean.";
    GET "/vmorgspec" "list-org-vm-spec" AT => "", "Gets the cloud's own words of its machine types: /vmspec says what they mean.";
    GET "/vmorgspec/{Name}" "get-org-vm-spec" AT => "", "Gets the cloud's own words of a machine type: /vmspec says what they mean.";
    DELETE "/destroy" "destroy-all-resource" AT => "DestroyedInfo", "Deletes everything that a connection made or registered.";
};
