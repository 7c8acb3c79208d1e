//! What CB-Spider knows is taken over by its meta database: shown first, then done, and done again without effect.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use pmks_suites::{go_program, skip_where};
use serde_json::{Value, json};

use crate::sandbox::{Ended, Sandbox, Simulator};

/// What it holds of a simulated cloud. Two of its connections are one account.
fn of_one_account(simulator: &Simulator, known: &Value) -> Value {
    let connection = &simulator.ready["connection"];
    let credential = &connection["credential"];
    let region = json!({
        "Region": connection["region"], "endpoints.all": connection["endpoints"]["all"],
        "pace": connection["pace"].to_string(),
    });
    let keys = json!({"ClientId": credential["accessKeyId"], "ClientSecret": credential["secretAccessKey"]});
    json!({
        "drivers": [["aws-driver", "AWS", "aws-driver-v1.0.so"], ["ncp-driver", "NCP", "ncp.so"]],
        "credentials": [["aws-cred", "AWS", keys]],
        "regions": [["seoul", "AWS", region, []]],
        "configs": [
            ["aws-config01", "AWS", "aws-driver", "aws-cred", "seoul"],
            ["aws-config02", "AWS", "aws-driver", "aws-cred", "seoul"],
        ],
        "known": known,
    })
}

/// Its file, as GORM writes it.
fn meta_database(file: &Path, what: &Value) -> Result<(), String> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../meta-database/tests/written");
    let mut child = Command::new(go_program(&module)?)
        .arg(file)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    child.stdin.take().unwrap().write_all(what.to_string().as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    Ok(())
}

fn standing(rows: &Value, kind: &str, name: &str) -> (String, String) {
    standing_at(rows, "aws-config01", kind, name)
}

/// The same of what is known at that connection; what is known at none is found too.
fn standing_at(rows: &Value, connection: &str, kind: &str, name: &str) -> (String, String) {
    let is_it = |row: &&Value| {
        row["kind"] == kind
            && row["name"] == name
            && (row["connection"] == connection || row["connection"] == "")
    };
    let row = rows["items"].as_array().unwrap().iter().find(is_it);
    let row = row.unwrap_or_else(|| panic!("no {kind} {name} in {rows}"));
    let text = |key: &str| row[key].as_str().unwrap().to_owned();
    (text("standing"), text("why"))
}

/// A network with two subnets and a cluster, by the cloud's identifiers: network and subnets. Whoever made it, its marks are
/// of another installation, as if CB-Spider's clusters had been pmks' before.
fn made_elsewhere(simulator: &Simulator) -> [String; 3] {
    let maker = Sandbox::new();
    assert_eq!(maker.connect("a", simulator).code, Some(0));
    let on = |args: &[&str]| maker.good(&[&["-c", "a"], args].concat());
    let id = |args: &[&str]| {
        let shown = maker.json(&[&["-c", "a"], args].concat());
        shown["iid"]["systemId"].as_str().unwrap().to_owned()
    };
    on(&[
        "network",
        "create",
        "n",
        "--cidr",
        "10.0.0.0/16",
        "--subnet",
        "name=s,cidr=10.0.0.0/20,zone=ap-northeast-2a",
        "--subnet",
        "name=t,cidr=10.0.16.0/20,zone=ap-northeast-2c",
    ]);
    on(&["connection", "prerequisites", "a", "--fix"]);
    on(&[
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
        "name=at-cloud,machine-type=t3.large,min=1,max=2,desired=1",
    ]);
    let (network, subnet) = (id(&["network", "get", "n"]), id(&["subnet", "get", "s", "--network", "n"]));
    let later = id(&["subnet", "get", "t", "--network", "n"]);
    [network, subnet, later]
}

/// Each of two connections of one account shows all that is there, once.
fn both_see_one(user: &Sandbox) {
    for connection in ["aws-config01", "aws-config02"] {
        for kind in ["network", "cluster"] {
            let all = user.json(&["-c", connection, kind, "list"])["items"].as_array().unwrap().len();
            assert_eq!(all, 1, "both connections see one {kind}");
        }
        let subnets = user.json(&["-c", connection, "subnet", "list", "--network", "vpc-01"]);
        let named = subnets["items"].as_array().unwrap().iter().filter(|subnet| subnet["uid"] != "").count();
        assert_eq!(named, 2, "{subnets}");
    }
}

#[test]
fn what_cb_spider_knows_is_taken_over_once() {
    let simulator = Sandbox::new().simulate("2000");
    let [network, subnet, later] = made_elsewhere(&simulator);
    // The second connection knows the same things, most of them by names of its own, and one more.
    let known = json!({
        "vpc_iid_infos": [
            ["aws-config01", "vpc-01", format!("vpc-01-x:{network}")],
            ["aws-config01", "", ":"],
            ["aws-config02", "vpc-02", format!("vpc-02-x:{network}")],
        ],
        "subnet_iid_infos": [
            ["aws-config01", "subnet-01", format!("subnet-01-x:{subnet}"), "vpc-01"],
            ["aws-config02", "subnet-01", format!("subnet-01-x:{subnet}"), "vpc-02"],
            ["aws-config02", "subnet-02", format!("subnet-02-x:{later}"), "vpc-02"],
        ],
        "sg_iid_infos": [["aws-config01", "gone", "gone-x:sg-0123456789abcdef0", "vpc-01"]],
        "cluster_iid_infos": [["aws-config01", "k8s-01", "c:c", "vpc-01"], ["aws-config02", "k8s-02", "c:c", "vpc-02"]],
        "node_group_iid_infos": [
            ["aws-config01", "ghost", "ghost:ghost", "k8s-01"],
            ["aws-config01", "ng-01", "at-cloud:at-cloud", "k8s-01"],
            ["aws-config02", "ng-02", "at-cloud:at-cloud", "k8s-02"],
            ["aws-config02", "phantom", "phantom:phantom", "k8s-02"],
        ],
    });
    let (user, other) = (Sandbox::new(), Sandbox::new());
    let file = user.path("cb-spider.db");
    if let Err(why) = meta_database(&file, &of_one_account(&simulator, &known)) {
        return skip_where("the import from CB-Spider", &why, &["go"]);
    }
    let planned = as_planned(&other, &file);
    let import = |more: &[&str]| import(&user, &file, more);
    let first = import(&["--plan"]);
    let (marked, why) = standing(&first.1, "cluster", "k8s-01");
    assert!(marked == "failed" && why.contains("carries the mark of"), "{marked}: {why}");
    let (bad, why) = standing(&first.1, "network", "");
    assert!(bad == "left out" && why.starts_with("vpc_iid_infos, the row of \"\""), "{bad}: {why}");
    assert_eq!(import(&[]).0.code, Some(2), "nobody confirmed");
    let (first, rows) = import(&["--yes"]);
    assert_eq!(first.code, Some(8), "{first:?}");
    for (kind, name) in [
        ("driver", "ncp-driver"),
        ("credential", "aws-cred"),
        ("connection", "aws-config01"),
        ("network", "vpc-01"),
        ("subnet", "subnet-01"),
    ] {
        assert_eq!(standing(&rows, kind, name).0, "taken over", "{rows}");
    }
    let here = |why: &str| ("is here already".to_owned(), why.to_owned());
    let at_second = |rows: &Value, kind: &str, name: &str| standing_at(rows, "aws-config02", kind, name);
    assert_eq!(at_second(&rows, "network", "vpc-02"), here("by the name vpc-01"));
    assert_eq!(at_second(&rows, "subnet", "subnet-01"), here(""));
    assert_eq!(at_second(&rows, "subnet", "subnet-02").0, "taken over", "{rows}");
    let (gone, why) = standing(&rows, "security group", "gone");
    assert!(gone == "gone" && why.contains("sg-0123456789abcdef0"), "{why}");
    let (marked, why) = standing(&rows, "cluster", "k8s-01");
    assert!(marked == "failed" && why.contains("carries the mark of"), "{marked}: {why}");
    assert_eq!(standing(&rows, "node group", "ng-01").1, "its cluster k8s-01 was not taken over");
    let (second, rows) = import(&["--yes", "--take-over"]);
    assert_eq!(second.code, Some(0), "what is gone has not failed: {second:?}");
    assert!(second.err.contains("gone at the cloud: 3;"), "{second:?}");
    assert_eq!(standing(&rows, "network", "vpc-01").0, "is here already");
    assert_eq!(standing(&rows, "cluster", "k8s-01").0, "taken over", "{rows}");
    assert_eq!(standing(&rows, "node group", "ng-01").0, "taken over", "{rows}");
    let (ghost, why) = standing(&rows, "node group", "ghost");
    assert!(ghost == "gone" && why.contains("\"ghost\" does not exist in the cluster"), "{ghost}: {why}");
    assert_eq!(at_second(&rows, "cluster", "k8s-02"), here("by the name k8s-01"));
    assert_eq!(at_second(&rows, "node group", "ng-02"), here("by the name ng-01"));
    assert_eq!(at_second(&rows, "node group", "phantom").0, "gone", "{rows}");
    both_see_one(&user);
    // Again, nothing is left to be asked about.
    for more in [&["--plan"][..], &[]] {
        let (again, rows) = import(more);
        assert_eq!(again.code, Some(0), "{again:?}");
        assert!(again.err.contains("nothing is left to be taken over"), "{again:?}");
        assert_eq!(standing(&rows, "node group", "ng-01").0, "is here already", "{rows}");
        assert_eq!(standing(&rows, "security group", "gone").0, "gone", "{rows}");
        assert_eq!(standing(&rows, "node group", "ghost").0, "gone", "{rows}");
    }
    let cluster = user.json(&["-c", "aws-config01", "cluster", "get", "k8s-01"]);
    assert_eq!(
        (&cluster["nodeGroups"][0]["name"], &cluster["iid"]["systemId"]),
        (&json!("ng-01"), &json!("c"))
    );
    let secret = simulator.ready["connection"]["credential"]["secretAccessKey"].as_str().unwrap();
    for ended in [planned, first, second] {
        assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "{ended:?}");
    }
}

#[test]
fn a_cloud_that_does_not_answer_costs_its_own_rows_alone() {
    let keys = json!({"ClientId": "AKIAIOSFODNN7EXAMPLE", "ClientSecret": "x"});
    let nowhere = json!({"Region": "ap-northeast-2", "endpoints.all": "http://127.0.0.1:9"});
    let what = json!({
        "drivers": [["aws-driver", "AWS", "aws-driver-v1.0.so"], ["mock-driver", "MOCK", "mock-driver-v1.0.so"]],
        "credentials": [["aws-cred", "AWS", keys], ["mock-cred", "MOCK", {"MockName": "mock-01"}]],
        "regions": [["nowhere", "AWS", nowhere, []], ["mock-region", "MOCK", {"Region": "default"}, []]],
        "configs": [
            ["aws-config01", "AWS", "aws-driver", "aws-cred", "nowhere"],
            ["mock-config01", "MOCK", "mock-driver", "mock-cred", "mock-region"],
        ],
        "known": {
            "vpc_iid_infos": [["aws-config01", "a", "a:vpc-1"], ["mock-config01", "m", "m:vpc-01"]],
            "key_iid_infos": [["aws-config01", "k", "k:k"]],
            "cluster_iid_infos": [["mock-config01", "c", "c:c", "m"]],
        },
    });
    let user = Sandbox::new();
    let file = user.path("cb-spider.db");
    if let Err(why) = meta_database(&file, &what) {
        return skip_where("the import from CB-Spider", &why, &["go"]);
    }
    for (more, code) in [(&["--plan"][..], 0), (&["--yes"], 8), (&["--yes"], 8)] {
        let (ended, rows) = import(&user, &file, more);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let (failed, why) = standing(&rows, "network", "a");
        assert!(failed == "failed" && why.contains("127.0.0.1:9"), "{why}");
        let as_that = ("failed".to_owned(), "as network a".to_owned());
        assert_eq!(standing(&rows, "key pair", "k"), as_that, "it is waited for once");
        for (kind, name) in [("network", "m"), ("cluster", "c")] {
            assert_eq!(standing_at(&rows, "mock-config01", kind, name).0, "gone", "{rows}");
        }
    }
}

/// What a meta database holds of a cloud that has one account, by a connection that is called `one`.
fn of_cloud(cloud: &str, simulator: &Simulator, known: &Value) -> Value {
    let connection = &simulator.ready["connection"];
    let credential = &connection["credential"];
    let (provider, keys) = if cloud == "gcp" {
        let key: Value = serde_json::from_str(credential["serviceAccountKey"].as_str().unwrap()).unwrap();
        let keys = json!({
            "PrivateKey": key["private_key"], "ProjectID": key["project_id"], "ClientEmail": key["client_email"],
            "token_uri": key["token_uri"],
        });
        ("GCP", keys)
    } else {
        let keys = json!({
            "ClientId": credential["clientId"], "ClientSecret": credential["clientSecret"],
            "TenantId": credential["tenantId"], "SubscriptionId": credential["subscriptionId"],
        });
        ("AZURE", keys)
    };
    let mut region = json!({"Region": connection["region"], "pace": connection["pace"].to_string()});
    for (of, url) in connection["endpoints"].as_object().unwrap() {
        region[format!("endpoints.{of}")] = url.clone();
    }
    json!({
        "drivers": [["d", provider, "driver.so"]], "credentials": [["c", provider, keys]],
        "regions": [["r", provider, region, []]], "configs": [["one", provider, "d", "c", "r"]], "known": known,
    })
}

#[test]
fn what_a_cloud_writes_otherwise_than_cb_spider_is_taken_over_once() {
    for (cloud, machine_type) in [("gcp", "e2-standard-2"), ("azure", "Standard_B2s")] {
        let simulator = Sandbox::new().simulate_cloud(cloud, "2000", 0);
        let (maker, user) = (Sandbox::new(), Sandbox::new());
        let file = user.path("cb-spider.db");
        if let Err(why) = meta_database(&file, &of_cloud(cloud, &simulator, &json!({}))) {
            return skip_where("the import from CB-Spider", &why, &["go"]);
        }
        assert_eq!(import(&maker, &file, &["--yes"]).0.code, Some(0));
        maker.good(&["connection", "prerequisites", "one", "--fix"]);
        let on = |args: &[&str]| maker.good(&[&["-c", "one"], args].concat());
        let id = |args: &[&str]| {
            let shown = maker.json(&[&["-c", "one"], args].concat());
            shown["iid"]["systemId"].as_str().unwrap().to_owned()
        };
        let cidr = if cloud == "gcp" { &[][..] } else { &["--cidr", "10.0.0.0/16"] };
        let subnet = ["--subnet", "name=sub-01,cidr=10.0.0.0/20"];
        on(&[&["network", "create", "net-01"], cidr, &subnet].concat());
        let group = format!("name=pool1,machine-type={machine_type},min=3,max=3,desired=3");
        let lies = ["--network", "net-01", "--subnet", "sub-01", "--node-group", &group];
        on(&[&["cluster", "create", "k8s-01"][..], &lies].concat());
        // CB-Spider keeps names for what Google tells by whole paths, and what Azure answers, which has no case.
        let written = |id: String| match cloud {
            "gcp" => id.rsplit('/').next().unwrap().to_owned(),
            _ => id.replace("/resourceGroups/", "/resourcegroups/").replace("koreacentral", "KoreaCentral"),
        };
        let network = written(id(&["network", "get", "net-01"]));
        let subnet = written(id(&["subnet", "get", "sub-01", "--network", "net-01"]));
        let cluster = written(id(&["cluster", "get", "k8s-01"]));
        let pool = written(id(&["node-group", "get", "pool1", "--cluster", "k8s-01"]));
        let mut known = json!({
            "vpc_iid_infos": [["one", "vpc", format!("x:{network}")]],
            "subnet_iid_infos": [["one", "subnet", format!("x:{subnet}"), "vpc"]],
            "cluster_iid_infos": [["one", "cluster", format!("x:{cluster}"), "vpc"]],
            "node_group_iid_infos": [
                ["one", "group", format!("x:{pool}"), "cluster"], ["one", "ghost", "x:ghost", "cluster"],
            ],
        });
        meta_database(&file, &of_cloud(cloud, &simulator, &known)).unwrap();
        let all = [("network", "vpc"), ("subnet", "subnet"), ("cluster", "cluster"), ("node group", "group")];
        for (more, becomes) in [
            ("--plan", "to be taken over"),
            ("--yes", "taken over"),
            ("--plan", "is here already"),
            ("--yes", "is here already"),
        ] {
            let (ended, rows) = import(&user, &file, &["--take-over", more]);
            assert_eq!(ended.code, Some(0), "{cloud} {more}: {ended:?}");
            for (kind, name) in all {
                let (standing, why) = standing_at(&rows, "one", kind, name);
                let is_so = standing == becomes && !why.starts_with("by the name");
                assert!(is_so, "{cloud} {more}: {kind}: {standing}: {why}");
            }
            assert_eq!(standing_at(&rows, "one", "node group", "ghost").0, "gone", "{cloud} {more}");
        }
        let subnets = user.json(&["-c", "one", "subnet", "list", "--network", "vpc"])["items"].clone();
        assert_eq!(subnets.as_array().unwrap().len(), 1, "{cloud}: {subnets}");
        assert_eq!(subnets[0]["name"], "subnet");
        // One that is made later is there when CB-Spider says so.
        let machine = ["--machine-type", machine_type, "--min", "3", "--max", "3", "--desired", "3"];
        on(&[&["node-group", "add", "late", "--cluster", "k8s-01"][..], &machine].concat());
        let late = format!("x:{}", pool.replace("pool1", "late"));
        known["node_group_iid_infos"].as_array_mut().unwrap().push(json!(["one", "later", late, "cluster"]));
        let file = user.path("later.db");
        meta_database(&file, &of_cloud(cloud, &simulator, &known)).unwrap();
        for more in ["--plan", "--yes"] {
            let (ended, rows) = import(&user, &file, &["--take-over", more]);
            let here = ("is here already".to_owned(), "by the name late".to_owned());
            assert_eq!(
                (ended.code, standing_at(&rows, "one", "node group", "later")),
                (Some(0), here),
                "{rows}"
            );
        }
    }
}

fn import(user: &Sandbox, file: &Path, more: &[&str]) -> (Ended, Value) {
    let command = ["import-spider", "-o", "json", "--meta-database", file.to_str().unwrap()];
    let ended = user.run(&[&command, more].concat());
    let rows: Value = serde_json::from_str(&ended.out).unwrap_or_default();
    (ended, rows)
}

/// For somebody who knows nothing yet everything comes as it was planned, and the plan leaves nothing behind.
fn as_planned(user: &Sandbox, file: &Path) -> Ended {
    let (planned, rows) = import(user, file, &["--plan", "--take-over"]);
    assert_eq!(planned.code, Some(0), "{planned:?}");
    for folder in [".local", ".config"] {
        assert!(!user.path(folder).exists(), "a plan leaves {folder}");
    }
    let by_then = |name: &str| ("is here already".to_owned(), format!("by the name {name}, by then"));
    assert_eq!(standing(&rows, "cluster", "k8s-01").0, "to be taken over");
    assert_eq!(standing(&rows, "node group", "ng-01").1, "with its cluster k8s-01");
    assert_eq!(standing(&rows, "node group", "ghost").0, "gone");
    assert_eq!(standing_at(&rows, "aws-config02", "cluster", "k8s-02"), by_then("k8s-01"));
    assert_eq!(standing_at(&rows, "aws-config02", "node group", "ng-02"), by_then("ng-01"));
    let wanted = |rows: &Value| rows.to_string().matches("to be taken over").count();
    let (taken, come) = import(user, file, &["--yes", "--take-over"]);
    assert_eq!((taken.code, wanted(&come)), (Some(0), 0), "{taken:?}");
    let said = rows.to_string().replace("to be taken over", "taken over");
    let said = said.replace(", by then\"", "\"").replace("\"by then\"", "\"\"");
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), come);
    planned
}
