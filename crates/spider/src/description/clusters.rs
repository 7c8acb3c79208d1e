//! Clusters and node groups.

use super::{AT, AT_BY_FORCE, AT_FOR_A_WAY_IN, Body, NOTHING, Operation, Sends, asks, described, makes};

const AT_TIMES: Sends = Sends { body: Body::Connection, query: &["IntervalMinute", "TimeBeforeHour"] };

pub(super) const ALL: &[Operation] = described! {
    POST "/cluster" "create-cluster" makes("ClusterRequest") => "ClusterInfo", "Creates a cluster; answers when the cloud has taken it on.";
    GET "/cluster" "list-cluster" AT_FOR_A_WAY_IN => "{cluster: [ClusterInfo]}", "Lists clusters.";
    GET "/cluster/{Name}" "get-cluster" AT_FOR_A_WAY_IN => "ClusterInfo", "Gets a cluster.";
    DELETE "/cluster/{Name}" "delete-cluster" AT_BY_FORCE => "Result", "Deletes a cluster.";
    GET "/cluster/{Name}/token" "get-cluster-token" AT => "ExecCredential", "Gets a token for the Kubernetes API of a cluster.";
    PUT "/cluster/{Name}/upgrade" "upgrade-cluster" asks("UpgradeRequest") => "ClusterInfo", "Upgrades a cluster and its node groups.";
    POST "/cluster/{Name}/nodegroup" "add-nodegroup" makes("NodeGroupRequest") => "ClusterInfo", "Adds a node group.";
    DELETE "/cluster/{Name}/nodegroup/{NodeGroupName}" "remove-nodegroup" AT_BY_FORCE => "Result", "Removes a node group.";
    PUT "/cluster/{Name}/nodegroup/{NodeGroupName}/onautoscaling" "set-nodegroup-autoscaling" asks("AutoScalingRequest") => "Result", "Switches the autoscaling of a node group.";
    PUT "/cluster/{Name}/nodegroup/{NodeGroupName}/autoscalesize" "change-nodegroup-scaling" asks("ScalingRequest") => "NodeGroupInfo", "Changes the size of a node group and its limits.";
    GET "/getclusterowner" "" asks("CSPRequest") => "IID", "Gets the VPC of a cluster of the cloud.";
    POST "/getclusterowner" "get-cluster-owner-vpc" asks("CSPRequest") => "IID", "Gets the VPC of a cluster of the cloud.";
    POST "/regcluster" "register-cluster" asks("ClusterRegisterRequest") => "ClusterInfo", "Takes over a cluster of the cloud; with TakeOver also one that another installation of pmks has marked.";
    DELETE "/regcluster/{Name}" "unregister-cluster" AT => "Result", "Forgets a cluster, which stays at the cloud.";
    GET "/allcluster" "list-all-cluster" AT => "AllList", "Lists clusters known here, at the cloud, or at both.";
    GET "/allclusterinfo" "list-all-cluster-info" AT => "AllClusterInfo", "Lists clusters known here, at the cloud, or at both, each whole.";
    DELETE "/cspcluster/{Id}" "delete-csp-cluster" AT => "Result", "Deletes a cluster by the cloud's identifier.";
    GET "/countcluster" "count-all-cluster" NOTHING => "Count", "Counts clusters.";
    GET "/countcluster/{ConnectionName}" "count-cluster-by-connection" NOTHING => "Count", "Counts the clusters of a connection.";
    GET "/monitoring/clusternode/{ClusterName}/{NodeGroupName}/{NodeNumber}/{MetricType}" "get-cluster-node-metric" AT_TIMES => "MetricData", "Gets what the cloud measures of a node, which is counted from 1: cpu_usage, memory_usage, disk_read, disk_write, disk_read_ops, disk_write_ops, network_in or network_out.";
    GET "/splockinfo" "" NOTHING => "{splockinfo: [string]}", "Lists what waits behind a lock: nothing does.";
    GET "/operation/{Id}" "get-operation" NOTHING => "object", "Gets the operation that carries out a change, which is answered at once to who asks by 'Prefer: respond-async'.";
};
