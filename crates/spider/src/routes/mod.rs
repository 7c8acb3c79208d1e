//! Every route: its method, its path below `/spider`, and what answers it.

mod all;
mod capability;
mod clouds;
mod clusters;
mod connection_configs;
mod credentials;
mod destroy;
mod drivers;
mod host;
mod imports;
mod key_pairs;
mod kubeconfig;
mod machines;
mod metrics;
mod networks;
mod node_groups;
mod numbers;
mod offers;
mod pieces;
mod raw;
mod regions;
mod security_groups;
mod service;
mod shapes;
mod spellings;
mod subnets;
mod system_stats;
mod system_tables;
mod tags;
mod types;

use http::Method;

use crate::call::Handler;
use clusters::Cluster;
use key_pairs::KeyPair;
use networks::Network;
use security_groups::SecurityGroup;
pub(crate) use spellings::to_spider;

macro_rules! rows {
    ($($method:ident $path:literal $handler:path;)*) => {
        vec![$((Method::$method, $path, (|call| Box::pin($handler(call))) as Handler)),*]
    };
}

/// A route.
type Row = (Method, &'static str, Handler);

/// All of them. Names in paths are taken by their place; identifiers of clouds hold slashes, and are all that is left of
/// theirs.
pub(crate) fn all() -> Vec<Row> {
    [service_and_records(), networks_and_keys(), clusters_and_groups(), machines_and_tags()].concat()
}

fn service_and_records() -> Vec<Row> {
    rows! {
        GET "/api" service::page;
        GET "/api/index.html" service::page;
        GET "/api/doc.json" service::document;
        GET "/endpointinfo" service::endpoint_info;
        GET "/version" service::version;
        GET "/ver" service::version;
        GET "/healthcheck" service::health;
        GET "/health" service::health;
        GET "/ping" service::health;
        GET "/readyz" service::health;

        GET "/sysstats/system" system_stats::system;
        GET "/sysstats/usage" system_stats::usage;

        GET "/cloudos" clouds::list;
        GET "/cloudos/metainfo/{a}" clouds::meta;
        GET "/driver/capability" capability::get;

        POST "/driver" drivers::put;
        GET "/driver" drivers::list;
        GET "/driver/{a}" drivers::get;
        DELETE "/driver/{a}" drivers::delete;
        POST "/credential" credentials::put;
        GET "/credential" credentials::list;
        GET "/credential/{a}" credentials::get;
        DELETE "/credential/{a}" credentials::delete;
        POST "/region" regions::put;
        GET "/region" regions::list;
        GET "/region/{a}" regions::get;
        DELETE "/region/{a}" regions::delete;
        POST "/connectionconfig" connection_configs::put;
        GET "/connectionconfig" connection_configs::list;
        GET "/connectionconfig/{a}" connection_configs::get;
        DELETE "/connectionconfig/{a}" connection_configs::delete;
        GET "/countconnectionconfig" connection_configs::count;
        POST "/plan/driver" drivers::plan;
        POST "/plan/credential" credentials::plan;
        POST "/plan/region" regions::plan;
        POST "/plan/connectionconfig" connection_configs::plan;
        POST "/plan/import" imports::plan;
        GET "/countconnectionconfig/{a}" connection_configs::count;

        GET "/regionzone" offers::zones::list;
        GET "/regionzone/{a}" offers::zones::get;
        GET "/preconfig/regionzone" offers::zones::list_before;
        GET "/preconfig/regionzone/{a}" offers::zones::get_before;
        GET "/vmimage" offers::images::list;
        GET "/vmimage/{a}" offers::images::get;
        GET "/vmspec" offers::machine_types::list;
        GET "/vmspec/{a}" offers::machine_types::get;
        GET "/vmorgspec" raw::machine_types;
        GET "/vmorgspec/{a}" raw::machine_types;
        GET "/orgregion" raw::regions;
        GET "/orgzone" raw::regions;
        GET "/preconfig/orgregion" raw::regions;
    }
}

fn networks_and_keys() -> Vec<Row> {
    rows! {
        POST "/vpc" networks::create;
        GET "/vpc" all::list::<Network>;
        GET "/vpc/{a}" all::get::<Network>;
        DELETE "/vpc/{a}" all::delete::<Network>;
        POST "/regvpc" networks::register;
        DELETE "/regvpc/{a}" all::unregister::<Network>;
        GET "/allvpc" all::names::<Network>;
        GET "/allvpcinfo" all::infos::<Network>;
        DELETE "/cspvpc/{*rest}" all::delete_at_cloud::<Network>;
        GET "/countvpc" all::count::<Network>;
        GET "/countvpc/{a}" all::count::<Network>;

        POST "/vpc/{a}/subnet" subnets::create;
        GET "/vpc/{a}/subnet/{b}" subnets::get;
        DELETE "/vpc/{a}/subnet/{b}" subnets::delete;
        DELETE "/vpc/{a}/cspsubnet/{*rest}" subnets::delete_at_cloud;
        POST "/regsubnet" subnets::register;
        DELETE "/regsubnet/{a}" subnets::unregister;
        GET "/countsubnet" subnets::count;
        GET "/countsubnet/{a}" subnets::count;

        POST "/securitygroup" security_groups::create;
        GET "/securitygroup" all::list::<SecurityGroup>;
        GET "/securitygroup/{a}" all::get::<SecurityGroup>;
        GET "/securitygroup/vpc/{a}" security_groups::list_of_network;
        DELETE "/securitygroup/{a}" all::delete::<SecurityGroup>;
        POST "/securitygroup/{a}/rules" security_groups::add_rules;
        DELETE "/securitygroup/{a}/rules" security_groups::remove_rules;
        DELETE "/securitygroup/{a}/csprules" security_groups::remove_rules;
        GET "/getsecuritygroupowner" security_groups::owner;
        POST "/getsecuritygroupowner" security_groups::owner;
        POST "/regsecuritygroup" security_groups::register;
        DELETE "/regsecuritygroup/{a}" all::unregister::<SecurityGroup>;
        GET "/allsecuritygroup" all::names::<SecurityGroup>;
        GET "/allsecuritygroupinfo" all::infos::<SecurityGroup>;
        DELETE "/cspsecuritygroup/{*rest}" all::delete_at_cloud::<SecurityGroup>;
        GET "/countsecuritygroup" all::count::<SecurityGroup>;
        GET "/countsecuritygroup/{a}" all::count::<SecurityGroup>;

        POST "/keypair" key_pairs::create;
        GET "/keypair" all::list::<KeyPair>;
        GET "/keypair/{a}" all::get::<KeyPair>;
        DELETE "/keypair/{a}" all::delete::<KeyPair>;
        POST "/regkeypair" key_pairs::register;
        DELETE "/regkeypair/{a}" all::unregister::<KeyPair>;
        GET "/allkeypair" all::names::<KeyPair>;
        GET "/allkeypairinfo" all::infos::<KeyPair>;
        DELETE "/cspkeypair/{*rest}" all::delete_at_cloud::<KeyPair>;
        GET "/countkeypair" all::count::<KeyPair>;
        GET "/countkeypair/{a}" all::count::<KeyPair>;
    }
}

fn clusters_and_groups() -> Vec<Row> {
    rows! {
        POST "/cluster" clusters::create;
        GET "/cluster" clusters::list;
        GET "/cluster/{a}" clusters::get;
        DELETE "/cluster/{a}" all::delete::<Cluster>;
        GET "/cluster/{a}/token" kubeconfig::token;
        PUT "/cluster/{a}/upgrade" clusters::upgrade;
        POST "/cluster/{a}/nodegroup" node_groups::add;
        DELETE "/cluster/{a}/nodegroup/{b}" node_groups::remove;
        PUT "/cluster/{a}/nodegroup/{b}/onautoscaling" node_groups::switch_auto_scaling;
        PUT "/cluster/{a}/nodegroup/{b}/autoscalesize" node_groups::scale;
        GET "/getclusterowner" clusters::owner;
        POST "/getclusterowner" clusters::owner;
        POST "/regcluster" clusters::register;
        DELETE "/regcluster/{a}" clusters::unregister;
        GET "/allcluster" all::names::<Cluster>;
        GET "/allclusterinfo" all::infos::<Cluster>;
        DELETE "/cspcluster/{*rest}" all::delete_at_cloud::<Cluster>;
        GET "/countcluster" all::count::<Cluster>;
        GET "/countcluster/{a}" all::count::<Cluster>;
        GET "/monitoring/clusternode/{a}/{b}/{c}/{d}" metrics::of_node;
        GET "/splockinfo" service::locks;
        GET "/operation/{a}" service::operation;
    }
}

fn machines_and_tags() -> Vec<Row> {
    rows! {
        GET "/vm" machines::list;
        GET "/vm/{a}" machines::get;
        GET "/cspvm/{*rest}" machines::get;
        GET "/vmstatus" machines::states;
        GET "/vmstatus/{a}" machines::state_of;
        GET "/allvm" machines::beside;
        GET "/allvminfo" machines::beside;
        GET "/countvm" machines::count;
        GET "/countvm/{a}" machines::count;

        POST "/tag" tags::add;
        GET "/tag" tags::list;
        GET "/tag/{a}" tags::get;
        DELETE "/tag/{a}" tags::remove;

        GET "/cspresourcename/{a}" raw::name;
        GET "/cspresourceinfo/{a}" raw::resource;
        DELETE "/destroy" destroy::all;
    }
}

/// What everybody is answered.
pub(crate) const PUBLIC: &[&str] = &[
    "/api",
    "/api/index.html",
    "/api/doc.json",
    "/endpointinfo",
    "/version",
    "/ver",
    "/healthcheck",
    "/health",
    "/ping",
    "/readyz",
];

/// What CB-Spider has beside managed Kubernetes, and what this server does not have of it yet.
const OUTSIDE: &[&str] = &[
    "disk",
    "nlb",
    "myimage",
    "filesystem",
    "rdbms",
    "s3",
    "publicip",
    "nic",
    "priceinfo",
    "productfamily",
    "quotainfo",
    "dbspec",
    "anycall",
    "vm",
    "vmstatus",
    "controlvm",
    "getvmusingresources",
    "preconfig",
    "monitoring",
    "check",
    "dborgspec",
    "getnlbowner",
    "getrdbmsowner",
    "mcinsight",
    "quotaservicetype",
    "rdbmsengine",
    "rdbmsmetainfo",
    "spiderlet",
    "sshrun",
    "topology",
    "vnic",
];

/// Whether CB-Spider has that method at a path which this server has with others.
///
/// Source: <https://github.com/cloud-barista/cb-spider/blob/master/api-runtime/rest-runtime/CBSpiderRuntime.go>
pub(crate) fn is_theirs(method: &Method, path: &str) -> bool {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match method.as_str() {
        "POST" => matches!(parts.as_slice(), ["vm"] | ["driver", "upload"]),
        "DELETE" => matches!(parts.as_slice(), ["vm", _] | ["cspvm", ..]),
        _ => false,
    }
}

/// Why a route of CB-Spider's is not served; `None`: CB-Spider has none either.
pub(crate) fn outside(path: &str) -> Option<String> {
    let path = path.trim_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    if first.starts_with("adminweb") {
        let says = "the web pages of CB-Spider are not supported here: use pmks, its /v1 or these routes";
        return Some(says.to_owned());
    }
    if path == "driver/upload" {
        let says = "uploads of drivers are not supported here: drivers are built in, and POST /driver names one of them";
        return Some(says.to_owned());
    }
    let word = first.strip_suffix("info").unwrap_or(first);
    let begins = ["", "reg", "all", "csp", "count", "attach", "detach"];
    let is_of =
        |known: &str| first == known || begins.iter().any(|begin| word.strip_prefix(begin) == Some(known));
    OUTSIDE
        .iter()
        .any(|known| is_of(known))
        .then(|| format!("{first} is not supported here: pmks serves what concerns managed Kubernetes"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_route_stands_twice_and_public_ones_exist() {
        let all = all();
        let rows: BTreeSet<(&str, &str)> =
            all.iter().map(|(method, path, _)| (method.as_str(), *path)).collect();
        assert_eq!(rows.len(), all.len());
        for path in PUBLIC {
            assert!(rows.contains(&("GET", *path)), "{path}");
        }
    }

    #[test]
    fn what_lies_outside_is_told_from_what_is_nowhere() {
        for first in [
            "disk",
            "alldisk",
            "cspnlb",
            "countrdbms",
            "allnlbinfo",
            "vm",
            "s3",
            "anycall",
            "rdbmsmetainfo",
            "vnic",
        ] {
            assert!(outside(first).is_some_and(|says| says.contains("not support")), "{first}");
        }
        for (path, says) in [
            ("/adminweb", "web pages"),
            ("/adminweb1/main", "web pages"),
            ("/driver/upload", "drivers are built in"),
            ("/driver/upload/", "drivers are built in"),
        ] {
            assert!(
                outside(path).is_some_and(|why| why.contains(says) && why.contains("not support")),
                "{path}"
            );
        }
        for first in ["", "disks", "clusters", "v1", "regs", "driver", "/driver/drv", "/admin"] {
            assert!(outside(first).is_none(), "{first}");
        }
    }
}
