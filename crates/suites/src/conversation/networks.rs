//! Networks, security groups and key pairs.

use pmks_model::ResourceKind;
use serde_json::{Value, json};

use super::{CONNECTION, Scene, asks, at, has_keys, is_named, tags};

const VPC_KEYS: &[&str] = &["IId", "IPv4_CIDR", "SubnetInfoList", "TagList", "KeyValueList"];
const SUBNET_KEYS: &[&str] = &["IId", "Zone", "IPv4_CIDR", "TagList", "KeyValueList"];

/// Names of as many subnets as a cluster needs.
pub(super) fn subnets(scene: &Scene) -> Vec<String> {
    let can = scene.under_test.provider().capabilities();
    let least = if can.zonal_subnets { can.minimum_zones } else { 1 };
    (0..can.minimum_subnets.max(least).max(1)).map(|index| format!("subnet-{index}")).collect()
}

/// The zones of the connection's region.
pub(super) async fn zones(scene: &Scene) -> Vec<String> {
    let here = scene.world.connection("x");
    let regions = scene.get("/regionzone").await;
    let own =
        regions["regionzone"].as_array().unwrap().iter().find(|row| row["Name"] == here.region.as_str());
    let zones = own.unwrap()["ZoneList"].as_array().unwrap().iter();
    zones.filter_map(|zone| zone["Name"].as_str().map(str::to_owned)).collect()
}

pub(super) async fn make(scene: &Scene) {
    let zones = zones(scene).await;
    let names = subnets(scene);
    // Clients name a zone at every cloud.
    let asked: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            json!({"Name": name, "IPv4_CIDR": format!("10.20.{}.0/20", 16 * index), "Zone": zones[index % zones.len()]})
        })
        .collect();
    let mut vpc = json!({"Name": "vpc-01", "IPv4_CIDR": "", "SubnetInfoList": asked});
    // Clients leave out what the cloud has no use for.
    if scene.under_test.provider().capabilities().network_addresses {
        scene.refused("POST", "/vpc", Some(asks(vpc.clone())), 400, "IPv4_CIDR").await;
        vpc["IPv4_CIDR"] = json!("10.20.0.0/16");
    }
    let tags = tags::of(scene, ResourceKind::Subnet);
    let mut tagged = vpc.clone();
    tagged["TagList"] = tags::of(scene, ResourceKind::Network);
    for subnet in tagged["SubnetInfoList"].as_array_mut().unwrap() {
        subnet["TagList"] = tags.clone();
    }
    tags::refused(scene, "/vpc", &vpc, ResourceKind::Network).await;
    let vpc = tagged;
    let made = scene.post("/vpc", vpc.clone()).await;
    is_vpc(&made, &names);
    assert_eq!((&made["TagList"], &made["SubnetInfoList"][0]["TagList"]), (&vpc["TagList"], &tags));
    let again = asks(vpc);
    let says = "VPC 'vpc-01' already exists in connection 'config-01'";
    scene.refused("POST", "/vpc", Some(again), 409, says).await;
    is_vpc(&scene.get("/vpc/vpc-01").await, &names);
    is_vpc(&scene.client.ok("GET", &format!("/vpc/vpc-01/?ConnectionName={CONNECTION}"), None).await, &names);
    let listed = scene.get("/vpc").await;
    has_keys(&listed, &["vpc"]);
    assert_eq!(listed["vpc"].as_array().unwrap().len(), 1);
    scene
        .refused("GET", "/vpc/none", Some(at()), 404, "VPC 'none' does not exist in connection 'config-01'")
        .await;
    let subnet = scene.get(&format!("/vpc/vpc-01/subnet/{}", names[0])).await;
    has_keys(&subnet, SUBNET_KEYS);
    is_named(&subnet["IId"], &names[0]);
    scene.refused("GET", "/vpc/vpc-01/subnet/none", Some(at()), 404, "Subnet not found").await;
    let more = json!({"Name": "subnet-more", "IPv4_CIDR": "10.20.128.0/20"});
    let mut all = names.clone();
    all.push("subnet-more".to_owned());
    is_vpc(&scene.post("/vpc/vpc-01/subnet", more).await, &all);
    scene.delete("/vpc/vpc-01/subnet/subnet-more").await;
    is_vpc(&scene.get("/vpc/vpc-01").await, &names);
    let count = scene.client.ok("GET", "/countsubnet/config-01", None).await;
    assert_eq!(count, json!({"count": names.len()}));
    assert_eq!(scene.client.ok("GET", "/countsubnet", None).await, count);
    for path in ["/countvpc", "/countvpc/config-01"] {
        assert_eq!(scene.client.ok("GET", path, None).await, json!({"count": 1}), "{path}");
    }
    let at_cloud = scene.get("/cspresourcename/vpc-01?ResourceType=vpc").await;
    assert_eq!(at_cloud, json!({"Name": "vpc-01"}));
    assert_eq!(scene.client.raw("GET", "/splockinfo", None).await.status().as_u16(), 200);
    let wrong = asks(json!({"Name": "vpc-02", "IPv4_CIDR": "10.0.0.0/99"}));
    scene.refused("POST", "/vpc", Some(wrong), 400, "IPv4_CIDR").await;
    tags::change(scene, ResourceKind::Network, "vpc", "vpc-01").await;
    tags::change(scene, ResourceKind::Subnet, "subnet", &names[0]).await;
    registered(scene, &made).await;
}

/// Our record goes and comes back; the cloud's network stays.
async fn registered(scene: &Scene, made: &Value) {
    let id = &made["IId"]["SystemId"];
    scene.delete("/regvpc/vpc-01").await;
    let sides = scene.get("/allvpc").await;
    has_keys(&sides["AllList"], &["MappedList", "OnlySpiderList", "OnlyCSPList"]);
    assert_eq!(
        (&sides["AllList"]["MappedList"], &sides["AllList"]["OnlySpiderList"]),
        (&json!([]), &json!([]))
    );
    let strange = sides["AllList"]["OnlyCSPList"].as_array().unwrap();
    assert!(strange.iter().any(|iid| iid["SystemId"] == *id), "{sides}");
    let infos = scene.get("/allvpcinfo").await;
    let strange = infos["AllListInfo"]["OnlyCSPInfoList"].as_array().unwrap();
    let strange = strange.iter().find(|vpc| vpc["IId"]["SystemId"] == *id).expect("it is at the cloud");
    assert_eq!(ids(strange), ids(made));
    let mut plan = scene.client.ok("GET", &format!("/connectionconfig/{CONNECTION}"), None).await;
    plan["Import"] = json!({"Kind": "network", "NameId": "vpc-01", "SystemId": id});
    let planned = scene.client.ok("POST", "/plan/import", Some(plan)).await;
    assert_eq!((&planned["SystemId"], &planned["Known"]), (id, &Value::Null), "{planned}");
    let back = scene.post("/regvpc", json!({"Name": "vpc-01", "CSPId": id})).await;
    assert_eq!(back["IId"], made["IId"]);
    let names: Vec<String> = back["SubnetInfoList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|subnet| subnet["IId"]["NameId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), subnets(scene).len());
    // By the names that clusters are asked for with.
    for (index, name) in names.iter().enumerate() {
        assert_eq!(*name, format!("vpc-01-subnet-{index}"));
        let subnet = scene.get(&format!("/vpc/vpc-01/subnet/{name}")).await;
        let unregister = asks(json!({"VPCName": "vpc-01"}));
        scene.client.ok("DELETE", &format!("/regsubnet/{name}"), Some(unregister)).await;
        let id = subnet["IId"]["SystemId"].clone();
        // By what the one list has and the other lacks clients know that it is at the cloud alone.
        assert!(!ids(&scene.get("/vpc/vpc-01").await).contains(&id));
        assert!(ids(&scene.get("/allvpcinfo").await["AllListInfo"]["MappedInfoList"][0]).contains(&id));
        let again = json!({"Name": format!("subnet-{index}"), "VPCName": "vpc-01", "CSPId": id});
        scene.post("/regsubnet", again).await;
    }
    is_vpc(&scene.get("/vpc/vpc-01").await, &subnets(scene));
    let sides = scene.get("/allvpcinfo").await;
    assert_eq!(sides["ResourceType"], "vpc");
    has_keys(&sides["AllListInfo"]["MappedInfoList"][0], VPC_KEYS);
}

/// The cloud's identifiers of its subnets, in their order.
fn ids(vpc: &Value) -> Vec<Value> {
    let subnets = vpc["SubnetInfoList"].as_array().unwrap().iter();
    let mut ids: Vec<Value> = subnets.map(|subnet| subnet["IId"]["SystemId"].clone()).collect();
    ids.sort_by_key(ToString::to_string);
    ids
}

#[track_caller]
fn is_vpc(vpc: &Value, names: &[String]) {
    has_keys(vpc, VPC_KEYS);
    is_named(&vpc["IId"], "vpc-01");
    let subnets = vpc["SubnetInfoList"].as_array().unwrap();
    let has: Vec<&str> = subnets.iter().map(|subnet| subnet["IId"]["NameId"].as_str().unwrap()).collect();
    assert_eq!(has, names, "in the order in which they were asked for");
    for subnet in subnets {
        has_keys(subnet, SUBNET_KEYS);
        assert!(subnet["IPv4_CIDR"].as_str().unwrap().starts_with("10.20."));
    }
}

pub(super) async fn security_group(scene: &Scene) {
    let rule = |direction: &str, protocol: &str, port: &str| json!({"Direction": direction, "IPProtocol": protocol, "FromPort": port, "ToPort": port, "CIDR": "10.20.0.0/16"});
    let mut asked = json!({
        "Name": "group-01", "VPCName": "vpc-01",
        "SecurityRules": [rule("inbound", "TCP", "443"), rule("inbound", "tcp", "22")],
    });
    tags::refused(scene, "/securitygroup", &asked, ResourceKind::SecurityGroup).await;
    asked["TagList"] = tags::of(scene, ResourceKind::SecurityGroup);
    let made = scene.post("/securitygroup", asked.clone()).await;
    let keys = ["IId", "VpcIID", "SecurityRules", "TagList", "KeyValueList"];
    for group in [&made, &scene.get("/securitygroup/group-01").await] {
        has_keys(group, &keys);
        is_named(&group["IId"], "group-01");
        is_named(&group["VpcIID"], "vpc-01");
        assert_eq!(group["TagList"], asked["TagList"]);
        let rules = group["SecurityRules"].as_array().unwrap();
        for rule in rules {
            has_keys(rule, &["FromPort", "ToPort", "IPProtocol", "Direction", "CIDR"]);
        }
        let https = json!({
            "FromPort": "443", "ToPort": "443", "IPProtocol": "TCP", "Direction": "inbound", "CIDR": "10.20.0.0/16",
        });
        assert!(rules.contains(&https), "{group}");
    }
    let says = "Security Group 'group-01' already exists in connection 'config-01'";
    scene.refused("POST", "/securitygroup", Some(asks(asked)), 409, says).await;
    let lost = json!({"Name": "group-02", "VPCName": "none", "SecurityRules": []});
    let says = "VPC 'none' does not exist in connection 'config-01'";
    scene.refused("POST", "/securitygroup", Some(asks(lost)), 404, says).await;
    let known = json!({"VPCName": "none", "Name": "group-02", "CSPId": made["IId"]["SystemId"]});
    scene.refused("POST", "/regsecuritygroup", Some(asks(known)), 404, says).await;
    let listed = scene.get("/securitygroup/vpc/vpc-01").await;
    assert_eq!(listed["securitygroup"].as_array().unwrap().len(), 1);
    let sides = scene.get("/allsecuritygroup").await;
    assert_eq!(sides["AllList"]["MappedList"], json!([made["IId"]]));
    for path in ["/countsecuritygroup", "/countsecuritygroup/config-01"] {
        assert_eq!(scene.client.ok("GET", path, None).await, json!({"count": 1}), "{path}");
    }
    tags::change(scene, ResourceKind::SecurityGroup, "sg", "group-01").await;
    strange_and_back(scene, "securitygroup", "sg", &made).await;
    other_rules(scene, &rule).await;
    every_port(scene).await;
    ways_out(scene).await;
}

/// What may leave is what the rules say: they are the same at every cloud after the same requests.
async fn ways_out(scene: &Scene) {
    let rule = |protocol: &str, port: &str, cidr: &str| json!({"FromPort": port, "ToPort": port, "IPProtocol": protocol, "Direction": "outbound", "CIDR": cidr});
    let [all, https, dns] =
        [rule("ALL", "-1", "0.0.0.0/0"), rule("TCP", "443", "10.0.0.0/8"), rule("UDP", "53", "10.0.0.0/8")];
    let ssh = json!({"FromPort": "22", "ToPort": "22", "IPProtocol": "TCP", "Direction": "inbound", "CIDR": "10.20.0.0/16"});
    let sorted = |rules: &Value| {
        let mut rules: Vec<String> = rules.as_array().unwrap().iter().map(Value::to_string).collect();
        rules.sort();
        rules
    };
    let has = async |rules: Value| {
        let group = scene.get("/securitygroup/ways-out").await;
        assert_eq!(sorted(&group["SecurityRules"]), sorted(&rules), "{group}");
    };
    // A new group lets everything out, whatever is named.
    for asked in [json!([]), json!([ssh]), json!([all]), json!([https])] {
        let group = json!({"Name": "ways-out", "VPCName": "vpc-01", "SecurityRules": asked});
        scene.post("/securitygroup", group).await;
        let mut rules = asked;
        if rules != json!([all]) {
            rules.as_array_mut().unwrap().push(all.clone());
        }
        has(rules.clone()).await;
        if rules != json!([https, all]) {
            scene.delete("/securitygroup/ways-out").await;
        }
    }
    let path = "/securitygroup/ways-out/rules";
    let of = |rules: Value| json!({"RuleInfoList": rules});
    let remove = async |rules: Value| scene.client.ok("DELETE", path, Some(asks(of(rules)))).await;
    scene.post(path, of(json!([dns]))).await;
    has(json!([https, all, dns])).await;
    // Without it nothing is let out but what is named; without that nothing.
    assert_eq!(remove(json!([all])).await, json!({"Result": "true"}));
    has(json!([https, dns])).await;
    remove(json!([https, dns])).await;
    has(json!([])).await;
    scene.post(path, of(json!([all]))).await;
    has(json!([all])).await;
    scene.delete("/securitygroup/ways-out").await;
}

/// Every port is one rule in whatever form clients write it, and what is of every protocol knows none.
async fn every_port(scene: &Scene) {
    let rule = |protocol: &str, from: &str, to: &str| json!({"FromPort": from, "ToPort": to, "IPProtocol": protocol, "Direction": "inbound", "CIDR": "10.30.0.0/16"});
    let path = "/securitygroup/group-01/rules";
    let of = |rule: &Value| json!({"RuleInfoList": [rule]});
    for (asked, named, shown) in [
        (rule("TCP", "-1", "-1"), rule("tcp", "-1", "-1"), rule("TCP", "0", "65535")),
        (rule("udp", "-1", "-1"), rule("UDP", "1", "65535"), rule("UDP", "0", "65535")),
        (rule("tcp", "1", "65535"), rule("TCP", "-1", "-1"), rule("TCP", "1", "65535")),
        (rule("ALL", "1", "65535"), rule("all", "0", "65535"), rule("ALL", "-1", "-1")),
    ] {
        for _ in 0..2 {
            let group = scene.post(path, of(&asked)).await;
            let rules = group["SecurityRules"].as_array().unwrap();
            let here: Vec<&Value> = rules.iter().filter(|rule| rule["CIDR"] == shown["CIDR"]).collect();
            assert_eq!(here, [&shown], "{asked}");
        }
        let gone = scene.client.ok("DELETE", path, Some(asks(of(&named)))).await;
        assert_eq!(gone, json!({"Result": "true"}), "{named}");
        let left = scene.get("/securitygroup/group-01").await;
        assert!(!left["SecurityRules"].to_string().contains("10.30.0.0/16"), "{left}");
    }
    let none = of(&rule("tcp", "22-23", "22"));
    let says = "RuleInfoList[0].FromPort: \"22-23\" is no port";
    scene.refused("POST", path, Some(asks(none)), 400, says).await;
    let some = of(&rule("all", "22", "22"));
    scene.refused("POST", path, Some(asks(some)), 400, "RuleInfoList[0].FromPort").await;
}

/// What is let through already is no error; what is not cannot be removed.
async fn other_rules(scene: &Scene, rule: &impl Fn(&str, &str, &str) -> Value) {
    let path = "/securitygroup/group-01/rules";
    let own = [rule("inbound", "TCP", "8443"), rule("inbound", "UDP", "53")];
    let how_often = |group: &Value, wanted: &Value| {
        group["SecurityRules"].as_array().unwrap().iter().filter(|one| *one == wanted).count()
    };
    for _ in 0..2 {
        let group = scene.post(path, json!({"RuleInfoList": own})).await;
        has_keys(&group, &["IId", "VpcIID", "SecurityRules", "TagList", "KeyValueList"]);
        assert!(own.iter().all(|one| how_often(&group, one) == 1), "{group}");
    }
    let gone = asks(json!({"RuleInfoList": [{"Direction": "INBOUND", "IPProtocol": "tcp", "FromPort": 8443,
        "ToPort": 8443, "CIDR": "10.20.0.0/16"}]}));
    let of_csp = "/securitygroup/group-01/csprules";
    for (taken, gone, left) in
        [(path, gone, (0, 1)), (of_csp, asks(json!({"RuleInfoList": [own[1]]})), (0, 0))]
    {
        let answer = scene.client.ok("DELETE", taken, Some(gone.clone())).await;
        assert_eq!(answer, json!({"Result": "true"}));
        let group = scene.get("/securitygroup/group-01").await;
        assert_eq!((how_often(&group, &own[0]), how_often(&group, &own[1])), left, "{group}");
        for path in [path, of_csp] {
            scene.refused("DELETE", path, Some(gone.clone()), 404, "has no rule").await;
        }
    }
    let none = asks(json!({"RuleInfoList": []}));
    scene.refused("POST", path, Some(none), 400, "at least one rule").await;
    let wide = json!({"RuleInfoList": [{"Direction": "inbound", "IPProtocol": "TCP", "FromPort": "1", "ToPort": "2", "CIDR": "x"}]});
    scene.refused("POST", path, Some(asks(wide)), 400, "RuleInfoList[0].CIDR").await;
    let says = "Security Group 'none' does not exist in connection 'config-01'";
    let of_none = asks(json!({"RuleInfoList": own}));
    scene.refused("POST", "/securitygroup/none/rules", Some(of_none.clone()), 404, says).await;
    scene.refused("DELETE", "/securitygroup/none/rules", Some(of_none), 404, says).await;
}

/// Our record goes, the cloud's thing stays: it is the cloud's alone until it is registered again.
async fn strange_and_back(scene: &Scene, path: &str, kind: &str, made: &Value) {
    let (name, id) = (made["IId"]["NameId"].as_str().unwrap(), &made["IId"]["SystemId"]);
    let is_it = |one: &&Value| one["SystemId"] == *id || one["IId"]["SystemId"] == *id;
    let alone =
        |sides: &Value| sides["AllList"]["OnlyCSPList"].as_array().unwrap().iter().filter(is_it).count();
    assert_eq!(alone(&scene.get(&format!("/all{path}")).await), 0);
    scene.delete(&format!("/reg{path}/{name}")).await;
    let sides = scene.get(&format!("/all{path}")).await;
    has_keys(&sides["AllList"], &["MappedList", "OnlySpiderList", "OnlyCSPList"]);
    assert_eq!((&sides["AllList"]["MappedList"], alone(&sides)), (&json!([]), 1), "{sides}");
    let infos = scene.get(&format!("/all{path}info")).await;
    assert_eq!(infos["ResourceType"], kind);
    let strangers = infos["AllListInfo"]["OnlyCSPInfoList"].as_array().unwrap();
    let info = strangers.iter().find(is_it).unwrap_or_else(|| panic!("{infos}"));
    let same = |key: &str| assert_eq!(info.get(key), made.get(key), "{key}");
    ["SecurityRules", "Fingerprint"].into_iter().for_each(same);
    let mut again = json!({"Name": name, "CSPId": id});
    let lies_in = made.get("VpcIID").map(|network| network["NameId"].clone());
    if let Some(network) = &lies_in {
        again["VPCName"] = network.clone();
    }
    let back = scene.post(&format!("/reg{path}"), again).await;
    assert_eq!(back["IId"], made["IId"]);
    assert_eq!(back.get("VpcIID"), made.get("VpcIID"));
    assert_eq!(alone(&scene.get(&format!("/all{path}")).await), 0);
}

pub(super) async fn key_pair(scene: &Scene) {
    let mut asked = json!({"Name": "keypair-01"});
    tags::refused(scene, "/keypair", &asked, ResourceKind::KeyPair).await;
    asked["TagList"] = tags::of(scene, ResourceKind::KeyPair);
    let made = scene.post("/keypair", asked.clone()).await;
    assert_eq!(made["TagList"], asked["TagList"]);
    let keys = ["IId", "Fingerprint", "PublicKey", "PrivateKey", "VMUserID", "TagList", "KeyValueList"];
    has_keys(&made, &keys);
    is_named(&made["IId"], "keypair-01");
    assert!(made["PrivateKey"].as_str().unwrap().starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    // As a fingerprint is: short, and no key.
    let fingerprint = made["Fingerprint"].as_str().unwrap();
    assert!((32..=64).contains(&fingerprint.len()) && !fingerprint.contains(' '), "{fingerprint}");
    let seen = scene.get("/keypair/keypair-01").await;
    has_keys(&seen, &keys);
    assert_eq!((&seen["PrivateKey"], &seen["VMUserID"]), (&json!(""), &json!("cb-user")));
    assert_eq!(scene.get("/keypair").await["keypair"], json!([seen]));
    for path in ["/countkeypair", "/countkeypair/config-01"] {
        assert_eq!(scene.client.ok("GET", path, None).await, json!({"count": 1}), "{path}");
    }
    assert_eq!(scene.get("/allkeypair").await["AllList"]["MappedList"], json!([made["IId"]]));
    let says = "VM KeyPair 'keypair-01' already exists in connection 'config-01'";
    scene.refused("POST", "/keypair", Some(asks(json!({"Name": "keypair-01"}))), 409, says).await;
    tags::change(scene, ResourceKind::KeyPair, "keypair", "keypair-01").await;
    strange_and_back(scene, "keypair", "keypair", &made).await;
}

/// A network with a subnet, a security group in it, and a key pair.
async fn some(scene: &Scene) -> [Value; 3] {
    let vpc = json!({"Name": "vpc-09", "IPv4_CIDR": "10.30.0.0/16",
        "SubnetInfoList": [{"Name": "subnet-09", "IPv4_CIDR": "10.30.0.0/20"}]});
    let vpc = scene.post("/vpc", vpc).await;
    let group = json!({"Name": "group-09", "VPCName": "vpc-09", "SecurityRules": []});
    let group = scene.post("/securitygroup", group).await;
    [vpc, group, scene.post("/keypair", json!({"Name": "keypair-09"})).await]
}

/// What is known here and what is not: both go by the cloud's identifier.
pub(super) async fn by_identifier(scene: &Scene) {
    let [vpc, group, pair] = some(scene).await;
    let id = |of: &Value| super::in_a_path(of["IId"]["SystemId"].as_str().unwrap());
    for path in ["/keypair/keypair-09", "/securitygroup/group-09"] {
        scene.delete(&path.replacen('/', "/reg", 1)).await;
    }
    // Of a cloud whose groups lie in no network nobody but a record knows one.
    let infos = scene.get("/allsecuritygroupinfo").await;
    let is_it = |one: &&Value| one["IId"]["SystemId"] == group["IId"]["SystemId"];
    let stranger = infos["AllListInfo"]["OnlyCSPInfoList"].as_array().unwrap().iter().find(is_it);
    let network = &stranger.unwrap_or_else(|| panic!("{infos}"))["VpcIID"]["SystemId"];
    let known = asks(json!({"CSPId": group["IId"]["SystemId"]}));
    let lies = if *network == "" { json!({"NameId": "", "SystemId": ""}) } else { group["VpcIID"].clone() };
    for method in ["GET", "POST"] {
        let owner = scene.client.ok(method, "/getsecuritygroupowner", Some(known.clone())).await;
        assert_eq!(owner, lies, "{method}");
    }
    scene.delete(&format!("/cspkeypair/{}", id(&pair))).await;
    scene.delete(&format!("/cspsecuritygroup/{}", id(&group))).await;
    scene.delete(&format!("/vpc/vpc-09/cspsubnet/{}", id(&vpc["SubnetInfoList"][0]))).await;
    is_without_subnets(&scene.get("/vpc/vpc-09").await);
    followed(scene, "DELETE", &format!("/cspvpc/{}", id(&vpc))).await;
    for (path, name) in [("/keypair", "keypair"), ("/securitygroup", "securitygroup"), ("/vpc", "vpc")] {
        assert_eq!(scene.get(path).await, json!({name: []}));
    }
}

/// A change that is not waited for, but asked after until it has succeeded.
async fn followed(scene: &Scene, method: &str, path: &str) {
    let (place, operation) = scene.client.at_once(method, path, at()).await;
    for _ in 0..600 {
        let now = scene.client.ok("GET", &place, None).await;
        assert_eq!(now["id"], operation["id"]);
        if now["state"] == "succeeded" {
            return;
        }
        assert!(now["state"] == "queued" || now["state"] == "running", "{now}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{method} {path} did not come to its end");
}

#[track_caller]
fn is_without_subnets(vpc: &Value) {
    assert_eq!(vpc["SubnetInfoList"], json!([]), "{vpc}");
}

/// Everything of the connection goes, each kind after what needs it.
pub(super) async fn destroy(scene: &Scene) {
    let [vpc, group, pair] = some(scene).await;
    let answer = scene.client.ok("DELETE", "/destroy", Some(at())).await;
    let of = |kind: &str, gone: Vec<&Value>| {
        json!({
            "ResourceType": kind, "IsAllDeleted": true, "DeletedIIDList": gone, "RemainedErrorInfoList": [],
        })
    };
    let kinds = [
        of("cluster", vec![]),
        of("keypair", vec![&pair["IId"]]),
        of("sg", vec![&group["IId"]]),
        of("vpc", vec![&vpc["IId"]]),
    ];
    assert_eq!(answer, json!({"IsAllDestroyed": true, "DeletedAllListByResourceType": kinds}));
}

pub(super) async fn remove(scene: &Scene) {
    // A network in which something of ours lies is not let go of, whatever is wished.
    for path in ["/keypair/keypair-01", "/securitygroup/group-01", "/vpc/vpc-01"] {
        scene.delete(path).await;
        scene.refused("DELETE", path, Some(at()), 404, "does not exist in connection 'config-01'").await;
    }
    for (path, name) in [("/keypair", "keypair"), ("/securitygroup", "securitygroup"), ("/vpc", "vpc")] {
        assert_eq!(scene.get(path).await, json!({name: []}));
    }
}
