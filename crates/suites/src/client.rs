//! A client of the cloud that others wrote, and pmks, at one simulated cloud: it makes what pmks takes over, scales and
//! removes, and sees what pmks makes.

use serde_json::{Value, json};

use crate::{Stand, text};

/// The client: a script that is told `make NAME`, `see NAME` or `list`, and prints `{cluster, nodes}` of a cluster (as
/// the cloud's API has it; the number of nodes by node group), or the names of all that is there.
pub struct Client<'a> {
    /// Where it is asked.
    pub stand: &'a Stand,
    /// The script.
    pub script: &'a str,
    /// Where a cluster says its version.
    pub version: &'a str,
}

impl Client<'_> {
    /// What the client says.
    pub fn says(&self, arguments: &[&str]) -> Value {
        self.stand.script(self.script, arguments)
    }

    /// What it makes, with that node group, pmks takes over, scales and removes. Answers what the client and pmks said of
    /// it.
    pub fn is_taken_over(&self, group: &str) -> (Value, Value) {
        let pmks = &self.stand.pmks;
        let made = self.says(&["make", "theirs"]);
        assert_eq!(made["nodes"], json!({group: 2}));
        let unmanaged = pmks.json(&["cluster", "unmanaged", "-c", "sim"]);
        assert_eq!(text(&unmanaged, "/items/0/iid/nameId"), "theirs");
        let id = text(&unmanaged, "/items/0/iid/systemId").to_owned();
        pmks.succeed(&["cluster", "import", "theirs", "-c", "sim", "--system-id", &id]);
        let cluster = pmks.json(&["cluster", "get", "theirs", "-c", "sim"]);
        assert_eq!(cluster["imported"], true);
        is_shown_whole(&cluster, &[]);
        assert_eq!(text(&cluster, "/observed/version"), text(&made, self.version));
        assert_eq!(cluster.pointer("/nodeGroups/0/nodes").unwrap().as_array().unwrap().len(), 2);
        pmks.succeed(&["node-group", "scale", group, "-c", "sim", "--cluster", "theirs", "--desired", "3"]);
        assert_eq!(self.says(&["see", "theirs"])["nodes"], json!({group: 3}));
        pmks.succeed(&["cluster", "delete", "theirs", "-c", "sim", "--yes"]);
        assert_eq!(self.says(&["list"]), json!([]));
        (made, cluster)
    }

    /// What pmks makes it sees: the marks are at `marks`, and `check` is given what it says and what pmks says.
    pub fn sees_ours(&self, marks: &str, check: impl FnOnce(&Value, &Value)) {
        let pmks = &self.stand.pmks;
        let subnet = "name=net-a,cidr=10.0.1.0/24";
        pmks.succeed(&["network", "create", "net", "-c", "sim", "--cidr", "10.0.0.0/16", "--subnet", subnet]);
        let create = ["cluster", "create", "ours", "-c", "sim", "--network", "net", "--subnet", "net-a"];
        pmks.succeed(&[create.as_slice(), &["--node-group", "name=ga,desired=2,max=3"]].concat());
        let cluster = pmks.json(&["cluster", "get", "ours", "-c", "sim"]);
        let seen = self.says(&["see", "ours"]);
        assert_eq!(seen["nodes"], json!({"ga": 2}));
        assert_eq!(text(&seen, self.version), text(&cluster, "/observed/version"));
        assert!(seen.pointer(marks).is_some_and(|marks| marks.get("pmks-uid").is_some()), "{seen}");
        check(&seen, &cluster);
        pmks.succeed(&["cluster", "delete", "ours", "-c", "sim", "--yes"]);
        pmks.succeed(&["network", "delete", "net", "-c", "sim", "--yes"]);
        assert_eq!(self.says(&["list"]), json!([]));
    }
}

/// Whether all that CB-Spider shows of a cluster is there of one that somebody else made, but for what its cloud does not tell.
///
/// # Panics
/// If something is empty, or is not where it is said to be.
pub fn is_shown_whole(cluster: &Value, untold: &[&str]) {
    const SHOWN: [&str; 10] = [
        "/endpoint",
        "/observed/network/systemId",
        "/observed/subnets/0/systemId",
        "/observed/securityGroups/0/systemId",
        "/nodeGroups/0/image",
        "/nodeGroups/0/machineType",
        "/nodeGroups/0/rootDiskType",
        "/nodeGroups/0/rootDiskSizeGib",
        "/nodeGroups/0/keyPair",
        "/nodeGroups/0/nodes/0/systemId",
    ];
    for pointer in SHOWN {
        let shown = cluster.pointer(pointer).is_some_and(|said| !said.is_null() && said != "");
        assert_eq!(shown, !untold.contains(&pointer), "{pointer} of {cluster}");
    }
}
