//! Node groups of an image of the user's own, and of a launch template of the user's own.

use std::sync::Arc;

use pmks_driver::{AddNodeGroup, Change, ErrorKind, RemoveNodeGroup, UpgradeNodeGroup};
use pmks_model::{Cluster, NodeGroupRequest, Status, Tags, VersionRequest};
use pmks_simulation::Cloud as _;
use pmks_transport::{Fault, FaultRule, Faults, SystemClock, Transport, When};
use serde_json::{Value, json};

use crate::requests::{cluster, delete, ground, group, group_target, scaling, standing, target};
use crate::support::{World, carry_out, marks, world, world_through};

/// The image that the nodes of a node group made from a type run: an AMI that surely exists here.
async fn some_image(world: &World, cluster: &Cluster) -> String {
    let nodes = world.driver.nodes(cluster).await.unwrap();
    nodes.items[0].key_value_list.get("ImageId").unwrap().to_owned()
}

#[tokio::test]
async fn an_ami_brings_its_launch_template_and_takes_it_along() {
    let faults = Arc::new(Faults::new());
    let transport = Transport::builder(Arc::new(SystemClock)).faults(Arc::clone(&faults) as _).build();
    let world = world_through(transport, &[]).await;
    let driver = &*world.driver;
    let ground = ground(&world).await;
    let create = cluster("own", &ground, vec![group("typed", scaling(false, 1, 1, 1))], "");
    carry_out(driver, &Change::CreateCluster(create)).await.unwrap();
    let seen = driver.get_cluster("own").await.unwrap();
    let image = some_image(&world, &seen).await;
    let templates = world.count(&["launchTemplate"]);

    let mut request = group("ami", scaling(false, 1, 2, 1));
    (request.image, request.root_disk_size_gib) = (image.clone(), Some(40));
    let add = |request: &NodeGroupRequest| {
        Change::AddNodeGroup(AddNodeGroup {
            cluster: target(&seen),
            security_groups: Vec::new(),
            request: request.clone(),
            tags: Tags::new(),
            marks: marks("ami"),
        })
    };
    let missing = NodeGroupRequest { image: "ami-0123".to_owned(), ..request.clone() };
    let error = driver.prepare(&add(&missing)).await.unwrap_err();
    assert!(error.message().contains("image: there is no such AMI"), "{error}");
    // One answer is lost after EC2 has made the template, and the connection of another call dies before.
    faults.add(FaultRule::on("ec2.CreateLaunchTemplate", When::First(1), Fault::DropAnswer));
    faults.add(FaultRule::on("eks.CreateNodegroup", When::First(1), Fault::ResetBefore));
    carry_out(driver, &add(&request)).await.unwrap();
    assert_eq!(faults.struck(), 2);
    faults.clear();
    carry_out(driver, &add(&request)).await.unwrap();
    assert_eq!(world.count(&["launchTemplate"]), templates + 1);

    let made = driver.get_node_group("own", "ami").await.unwrap();
    assert_eq!((made.status, made.image.as_str()), (Status::Active, image.as_str()));
    let seen = driver.get_cluster("own").await.unwrap();
    let upgrade = Change::UpgradeNodeGroup(UpgradeNodeGroup {
        target: group_target(&seen, "ami"),
        version: VersionRequest::Default,
        force: false,
        marks: marks("up"),
    });
    let error = driver.prepare(&upgrade).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Precondition { .. }), "{error}");

    let remove = |name: &str| {
        let target = group_target(&seen, name);
        Change::RemoveNodeGroup(RemoveNodeGroup { target, marks: marks("remove") })
    };
    faults.add(FaultRule::on("ec2.DeleteLaunchTemplate", When::First(1), Fault::DropAnswer));
    carry_out(driver, &remove("ami")).await.unwrap();
    carry_out(driver, &remove("ami")).await.unwrap();
    assert_eq!(world.count(&["launchTemplate"]), templates);
}

#[tokio::test]
async fn a_clusters_end_takes_every_template_along_and_no_strangers() {
    let faults = Arc::new(Faults::new());
    let transport = Transport::builder(Arc::new(SystemClock)).faults(Arc::clone(&faults) as _).build();
    let world = world_through(transport, &[]).await;
    let driver = &*world.driver;
    let ground = ground(&world).await;
    let create = cluster("first", &ground, vec![group("typed", scaling(false, 1, 1, 1))], "");
    carry_out(driver, &Change::CreateCluster(create)).await.unwrap();
    let first = driver.get_cluster("first").await.unwrap();
    let mut own = group("ami", scaling(false, 1, 1, 1));
    own.image = some_image(&world, &first).await;
    let mut create = cluster("second", &ground, vec![own.clone()], "");
    create.marks = marks("second");
    carry_out(driver, &Change::CreateCluster(create)).await.unwrap();
    let second = driver.get_cluster("second").await.unwrap();
    let made = &second.node_groups[0];
    assert_eq!((made.status, &made.image), (Status::Active, &own.image));

    // A template whose node group was refused belongs to the cluster all the same.
    let refusal = Fault::Answer {
        status: pmks_transport::StatusCode::BAD_REQUEST,
        content_type: "application/json",
        body: r#"{"__type": "InvalidParameterException", "message": "no"}"#.into(),
    };
    faults.add(FaultRule::on("eks.CreateNodegroup", When::Always, refusal));
    own.name = "refused".to_owned();
    let add = Change::AddNodeGroup(AddNodeGroup {
        cluster: target(&second),
        security_groups: Vec::new(),
        request: own.clone(),
        tags: Tags::new(),
        marks: marks("refused"),
    });
    carry_out(driver, &add).await.unwrap_err();
    faults.clear();
    let template = made.key_value_list.get("LaunchTemplateId").unwrap().to_owned();
    // The same template as a user's own: of another node group, it is not pmks' to remove.
    let borrowed = NodeGroupRequest { name: "borrowed".into(), image: template, ..own };
    let add = Change::AddNodeGroup(AddNodeGroup {
        cluster: target(&first),
        security_groups: Vec::new(),
        request: borrowed,
        tags: Tags::new(),
        marks: marks("borrowed"),
    });
    let stages = driver.prepare(&add).await.unwrap().plan.stages;
    assert!(stages.iter().all(|stage| !stage.name.starts_with("launch template")), "{stages:?}");

    let before = world.count(&["launchTemplate"]);
    carry_out(driver, &delete(&second)).await.unwrap();
    assert_eq!(world.count(&["launchTemplate"]), before - 2, "{:?}", world.cloud.resources());
    carry_out(driver, &delete(&first)).await.unwrap();
    assert_eq!(world.count(&["launchTemplate"]), 0);
}

#[tokio::test]
async fn a_users_own_template_is_taken_as_it_is_and_never_removed() {
    let world = world(&[]).await;
    let driver = &*world.driver;
    let seen = standing(&world, "prod").await;
    let mut own = group("ami", scaling(false, 1, 1, 1));
    own.image = some_image(&world, &seen).await;
    let add = |request: &NodeGroupRequest, uid: &str| {
        Change::AddNodeGroup(AddNodeGroup {
            cluster: target(&seen),
            security_groups: Vec::new(),
            request: request.clone(),
            tags: Tags::new(),
            marks: marks(uid),
        })
    };
    carry_out(driver, &add(&own, "ami")).await.unwrap();
    let made = driver.get_node_group("prod", "ami").await.unwrap();
    let template = made.key_value_list.get("LaunchTemplateId").unwrap().to_owned();
    let templates = world.count(&["launchTemplate"]);

    for (name, image) in [("newest", template.clone()), ("first", format!("{template}:1"))] {
        let borrowed = NodeGroupRequest { name: name.into(), image, ..own.clone() };
        carry_out(driver, &add(&borrowed, name)).await.unwrap();
        let made = driver.get_node_group("prod", name).await.unwrap();
        assert_eq!(
            (made.status, made.image.as_str(), made.nodes.len()),
            (Status::Active, template.as_str(), 1)
        );
        let seen = driver.get_cluster("prod").await.unwrap();
        let remove = RemoveNodeGroup { target: group_target(&seen, name), marks: marks("remove") };
        carry_out(driver, &Change::RemoveNodeGroup(remove)).await.unwrap();
        assert_eq!(world.count(&["launchTemplate"]), templates, "the template is another's");
    }
    let missing = NodeGroupRequest { name: "none".into(), image: "lt-0123456789abcdef0".into(), ..own };
    let error = driver.prepare(&add(&missing, "none")).await.unwrap_err();
    assert!(error.message().contains("image: cannot be used in this account and region: "), "{error}");
    let ninth = NodeGroupRequest { image: format!("{template}:9"), ..missing };
    let error = driver.prepare(&add(&ninth, "none")).await.unwrap_err();
    assert!(error.message().contains("version 9"), "{error}");
}

/// The simulated launch template of that identifier, as the world keeps it.
fn kept<'a>(value: &'a mut Value, id: &str) -> Option<&'a mut Value> {
    let members = value.as_object_mut()?;
    if members.get("launch_templates").is_some_and(|templates| templates.get(id).is_some()) {
        return members.get_mut("launch_templates")?.get_mut(id);
    }
    members.values_mut().find_map(|member| kept(member, id))
}

#[tokio::test]
async fn the_machine_type_of_a_template_is_its_node_groups() {
    let world = world(&[]).await;
    let driver = &*world.driver;
    let seen = standing(&world, "prod").await;
    let add = |request: &NodeGroupRequest| {
        Change::AddNodeGroup(AddNodeGroup {
            cluster: target(&seen),
            security_groups: Vec::new(),
            request: request.clone(),
            tags: Tags::new(),
            marks: marks(&request.name),
        })
    };
    let mut own = group("ami", scaling(false, 1, 1, 1));
    own.image = some_image(&world, &seen).await;
    carry_out(driver, &add(&own)).await.unwrap();
    let made = driver.get_node_group("prod", "ami").await.unwrap();
    let template = made.key_value_list.get("LaunchTemplateId").unwrap().to_owned();
    world.change(|snapshot| {
        kept(snapshot, &template).unwrap()["versions"][0]["data"]["machine_type"] = json!("m5.large");
    });
    let mut borrowed = NodeGroupRequest { name: "borrowed".into(), image: template, ..own };
    let error = driver.prepare(&add(&borrowed)).await.unwrap_err();
    assert!(error.message().contains("machineType: the launch template names m5.large already"), "{error}");
    borrowed.machine_type = String::new();
    carry_out(driver, &add(&borrowed)).await.unwrap();
    assert_eq!(driver.get_node_group("prod", "borrowed").await.unwrap().machine_type, "m5.large");
}
