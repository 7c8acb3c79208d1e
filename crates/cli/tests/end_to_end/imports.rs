//! What exists already is taken into the records by its identifier, used, and forgotten; and what must exist first is
//! shown, planned and made. One user makes, another one who knows nothing of it imports.

use serde_json::Value;

use crate::sandbox::{Sandbox, Simulator};

const SUBNETS: [&str; 2] =
    ["name=s,cidr=10.0.0.0/20,zone=ap-northeast-2a", "name=t,cidr=10.0.16.0/20,zone=ap-northeast-2c"];

/// A user with a connection `a`.
struct User {
    sandbox: Sandbox,
}

impl User {
    fn new(simulator: &Simulator) -> Self {
        let sandbox = Sandbox::new();
        let made = sandbox.connect("a", simulator);
        assert_eq!(made.code, Some(0), "{made:?}");
        Self { sandbox }
    }

    fn on(&self, args: &[&str]) -> crate::sandbox::Ended {
        self.sandbox.run(&[&["-c", "a"], args].concat())
    }

    fn good(&self, args: &[&str]) -> crate::sandbox::Ended {
        self.sandbox.good(&[&["-c", "a"], args].concat())
    }

    fn json(&self, args: &[&str]) -> Value {
        self.sandbox.json(&[&["-c", "a"], args].concat())
    }

    /// The identifier at the cloud.
    fn id(&self, args: &[&str]) -> String {
        self.json(args)["iid"]["systemId"].as_str().unwrap().to_owned()
    }

    fn refused(&self, args: &[&str], code: i32, says: &str) {
        let refused = self.on(args);
        assert_eq!(refused.code, Some(code), "{args:?}: {refused:?}");
        assert!(refused.err.contains(says), "{args:?}: {refused:?}");
    }
}

/// The maker: a network with two subnets, a security group and a key pair.
fn maker(simulator: &Simulator) -> User {
    let maker = User::new(simulator);
    maker.good(&[
        "network",
        "create",
        "n",
        "--cidr",
        "10.0.0.0/16",
        "--subnet",
        SUBNETS[0],
        "--subnet",
        SUBNETS[1],
    ]);
    maker.good(&["network", "create", "other", "--cidr", "10.1.0.0/16"]);
    let rule = "direction=inbound,protocol=tcp,from-port=22,to-port=22,cidr=10.0.0.0/16";
    maker.good(&["security-group", "create", "g", "--network", "n", "--rule", rule]);
    maker.good(&["key-pair", "create", "k", "--save", "key.pem"]);
    maker
}

#[test]
fn what_somebody_else_made_is_imported_used_and_forgotten() {
    let simulator = Sandbox::new();
    let simulator = simulator.simulate("2000");
    let maker = maker(&simulator);
    let (network, other) = (maker.id(&["network", "get", "n"]), maker.id(&["network", "get", "other"]));
    let subnet = maker.id(&["subnet", "get", "s", "--network", "n"]);
    let second = maker.id(&["subnet", "get", "t", "--network", "n"]);
    let (group, key) = (maker.id(&["security-group", "get", "g"]), maker.id(&["key-pair", "get", "k"]));

    let user = User::new(&simulator);
    let import = |noun: &str, name: &str, id: &str| user.json(&[noun, "import", name, "--system-id", id]);
    let imported = import("network", "net", &network);
    assert_eq!(
        (&imported["name"], &imported["cidr"]),
        (&"net".into(), &"10.0.0.0/16".into()),
        "{imported:#}"
    );
    assert_eq!(imported["createdByPmks"], false);
    import("network", "elsewhere", &other);
    let into = |network: &'static str, name: &'static str, id: &str| {
        ["subnet", "import", name, "--network", network, "--system-id", id].map(str::to_owned)
    };
    let words = |words: &[String; 7]| words.clone();
    let sub = words(&into("net", "sub", &subnet));
    let sub: Vec<&str> = sub.iter().map(String::as_str).collect();
    let imported = user.json(&sub);
    assert_eq!(
        (&imported["zone"], &imported["network"]),
        (&"ap-northeast-2a".into(), &"net".into()),
        "{imported:#}"
    );
    let sub2 = into("net", "sub2", &second);
    user.json(&sub2.iter().map(String::as_str).collect::<Vec<_>>());
    let imported = import("security-group", "ssh", &group);
    assert_eq!(
        (&imported["network"], &imported["rules"][0]["fromPort"]),
        (&"net".into(), &22.into()),
        "{imported:#}"
    );
    let imported = import("key-pair", "mine", &key);
    assert!(!imported["fingerprint"].as_str().unwrap().is_empty() && imported.get("privateKey").is_none());

    // What is known is known, under its own name; what is not there, or not in that network, is refused.
    user.refused(&["network", "import", "twice", "--system-id", &network], 4, "known here as \"net\"");
    user.refused(&["network", "import", "net", "--system-id", &other], 4, "network \"net\" exists already");
    user.refused(&["network", "import", "x", "--system-id", "vpc-0123456789abcdef0"], 2, "systemId: network");
    user.refused(&["key-pair", "import", "x", "--system-id", "nonsense"], 2, "systemId: key pair");
    user.refused(&["security-group", "import", "-", "--system-id", &group], 2, "name: ");
    let astray = into("elsewhere", "x", &subnet);
    user.refused(
        &astray.iter().map(String::as_str).collect::<Vec<_>>(),
        2,
        "is no part of network \"elsewhere\"",
    );
    let gone = into("net", "x", "subnet-0123456789abcdef0");
    user.refused(&gone.iter().map(String::as_str).collect::<Vec<_>>(), 2, "systemId: subnet");

    // A cluster is made of what was imported, by our names and by the cloud's.
    user.good(&["connection", "prerequisites", "a", "--fix"]);
    let node_group = "name=w,key-pair=mine";
    user.good(&[
        "cluster",
        "create",
        "c",
        "--network",
        "net",
        "--subnet",
        "sub",
        "--subnet",
        &second,
        "--security-group",
        "ssh",
        "--node-group",
        node_group,
    ]);
    let cluster = user.json(&["cluster", "get", "c"]);
    let subnets: Vec<&str> = cluster["observed"]["subnets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|iid| iid["nameId"].as_str().unwrap())
        .collect();
    assert_eq!(subnets, ["sub", "sub2"], "{cluster:#}");
    user.refused(&["network", "forget", "net"], 4, "is used by security group \"ssh\", cluster \"c\"");
    user.refused(
        &["network", "forget", "net", "--plan"],
        4,
        "is used by security group \"ssh\", cluster \"c\"",
    );
    user.refused(&["key-pair", "forget", "mine"], 4, "is used by node group \"w\"");
    user.refused(&["security-group", "delete", "ssh", "--yes"], 4, "is used by cluster \"c\"");
    user.good(&["cluster", "delete", "c", "--yes"]);

    for args in [
        &["key-pair", "forget", "mine"][..],
        &["security-group", "forget", "ssh"],
        &["subnet", "forget", "sub", "--network", "net"],
        &["network", "forget", "net"],
    ] {
        user.good(args);
    }
    user.refused(&["network", "get", "net"], 3, "not-found");
    let standing = simulator.world.resources("vpc");
    let stands = |id: &String| standing.iter().any(|vpc| vpc["id"] == *id);
    assert!(stands(&network) && stands(&other), "the cloud is left alone");
    maker.good(&["security-group", "delete", "g", "--yes"]);
}

#[test]
fn what_nobody_keeps_a_record_of_is_listed_and_the_rules_of_a_group_change() {
    let simulator = Sandbox::new();
    let simulator = simulator.simulate("2000");
    let maker = maker(&simulator);
    let user = User::new(&simulator);
    for (noun, name) in [("network", "n"), ("security-group", "g"), ("key-pair", "k")] {
        let id = maker.id(&[noun, "get", name]);
        let lists = |user: &User| {
            let listed = user.json(&[noun, "unmanaged"]);
            listed["items"].as_array().unwrap().iter().any(|one| one["iid"]["systemId"] == *id)
        };
        assert!(lists(&user) && !lists(&maker), "{noun} {id}");
    }
    let ssh = "direction=inbound,protocol=tcp,from-port=22,cidr=10.0.0.0/16";
    let https = "direction=inbound,protocol=tcp,from-port=443,cidr=0.0.0.0/0";
    let update = ["security-group", "update", "g", "--add-rule", https, "--remove-rule", ssh];
    maker.good(&update);
    maker.good(&update[..5]);
    maker.refused(&update, 3, "has no rule tcp inbound from 10.0.0.0/16, port 22");
    let group = maker.json(&["security-group", "get", "g"]);
    let rules = group["rules"].as_array().unwrap().iter();
    let ports: Vec<_> =
        rules.filter(|rule| rule["direction"] == "inbound").map(|rule| &rule["fromPort"]).collect();
    assert_eq!(ports, [443], "{group:#}");
    let wrong = "direction=inbound,protocol=tcp,from-port=1,cidr=x";
    maker.refused(&["security-group", "update", "g", "--add-rule", wrong], 2, "add[0].cidr: ");
    maker.refused(&["security-group", "update", "g"], 2, "--add-rule");
    maker.refused(&["security-group", "update", "none", "--add-rule", ssh], 3, "there is no security group");
}

#[test]
fn a_cluster_of_another_installation_is_imported_only_on_purpose() {
    let simulator = Sandbox::new();
    let simulator = simulator.simulate("2000");
    let maker = maker(&simulator);
    maker.good(&["connection", "prerequisites", "a", "--fix"]);
    maker.good(&[
        "cluster",
        "create",
        "c",
        "--network",
        "n",
        "--subnet",
        "s",
        "--subnet",
        "t",
        "--node-group",
        "name=w",
    ]);
    let user = User::new(&simulator);
    let unmanaged = user.json(&["cluster", "unmanaged"]);
    assert_eq!(unmanaged["items"][0]["iid"]["systemId"], "c");
    let import = ["cluster", "import", "mine", "--system-id", "c"];
    user.refused(&import, 4, "carries the mark of the pmks installation");
    user.refused(&import, 4, "systemId: is imported with takeOver (--take-over), once");
    user.refused(&["cluster", "import", "mine", "--system-id", "nowhere"], 2, "systemId: cluster");
    user.good(&[&import[..], &["--take-over"]].concat());
    user.refused(
        &["cluster", "import", "again", "--system-id", "c", "--take-over"],
        4,
        "known here as \"mine\"",
    );
    let groups = user.json(&["node-group", "list", "--cluster", "mine"]);
    assert_eq!(groups["items"][0]["name"], "w");
    assert!(user.json(&["cluster", "unmanaged"])["items"].as_array().unwrap().is_empty());
    user.good(&["cluster", "forget", "mine", "--yes"]);
    assert_eq!(simulator.world.resources("cluster").len(), 1, "the cloud is left alone");
}

#[test]
fn prerequisites_are_shown_planned_and_made() {
    let simulator = Sandbox::new();
    let simulator = simulator.simulate("2000");
    let user = User::new(&simulator);
    let states = || -> Vec<(String, String)> {
        let all = user.json(&["connection", "prerequisites", "a"]);
        let all = all["prerequisites"].as_array().unwrap();
        let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
        all.iter().map(|one| (text(one, "name"), text(one, "state"))).collect()
    };
    let missing = |states: &[(String, String)]| states.iter().filter(|(_, state)| state == "missing").count();
    assert_eq!(missing(&states()), 2, "{:?}", states());
    let table = user.good(&["connection", "prerequisites", "a"]).out;
    assert!(table.contains("clusterRole") && table.contains("missing"), "{table}");

    user.good(&[
        "network",
        "create",
        "n",
        "--cidr",
        "10.0.0.0/16",
        "--subnet",
        SUBNETS[0],
        "--subnet",
        SUBNETS[1],
    ]);
    let create = ["cluster", "create", "c", "--network", "n", "--subnet", "s", "--subnet", "t"];
    let refused = user.on(&create);
    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert!(refused.err.contains("prerequisite-missing") && refused.err.contains("fix: "), "{refused:?}");
    user.refused(&["cluster", "get", "c"], 3, "not-found");

    let plan = user.good(&["connection", "prerequisites", "a", "--plan"]);
    assert!(plan.err.contains("nothing was changed") && !plan.out.is_empty(), "{plan:?}");
    assert_eq!(missing(&states()), 2, "a plan makes nothing");
    user.good(&["connection", "prerequisites", "a", "--fix"]);
    assert_eq!(missing(&states()), 0, "{:?}", states());
    let again = user.good(&["connection", "prerequisites", "a", "--fix"]);
    assert!(again.out.contains("succeeded"), "{again:?}");
    user.good(&create);
    let of_cluster = user.json(&["connection", "prerequisites", "a", "--cluster", "c"]);
    assert!(!of_cluster["prerequisites"].as_array().unwrap().is_empty(), "{of_cluster:#}");
    user.refused(&["connection", "prerequisites", "a", "--cluster", "nobody"], 3, "not-found");
    user.refused(&["connection", "prerequisites", "nobody"], 3, "not-found");
}
