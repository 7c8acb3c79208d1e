//! What a launch template is, whose it is, and where its stages stand in plans.

use pmks_driver::FoundState;
use pmks_model::NodeGroupRequest;

use super::*;
use crate::operations::add_node_group::Group;
use crate::operations::node_group_choice::Choice;
use crate::operations::tests::context;
use crate::query::{List, Tag};
use crate::wire::eks;

fn marks(uid: &str) -> Marks {
    Marks { installation: "i".into(), operation: "o".into(), uid: uid.into() }
}

fn found(name: &str, marks: &Marks) -> wire::LaunchTemplate {
    let tags = marks.onto(&Tags::new()).into_iter().map(|(key, value)| Tag { key, value });
    wire::LaunchTemplate {
        launch_template_id: "lt-1".into(),
        launch_template_name: name.into(),
        tag_set: List { entries: tags.collect() },
    }
}

#[test]
fn a_template_is_ours_by_its_marks_and_never_absent_once_named() {
    let known = StageContext { system_id: Some("lt-1".into()), ..context() };
    for (found, context, expected) in [
        (vec![], context(), "absent"),
        (vec![], known, "unsure AWS does not show lt-1 yet"),
        (vec![found("t", &marks("u"))], context(), r#"ready {"id":"lt-1"}"#),
        (vec![found("t", &marks("other"))], context(), "failed AlreadyExists"),
        // EC2's filters know wildcards.
        (vec![found("tt", &marks("u"))], context(), "absent"),
    ] {
        let look = match look_at(&found, "t", &marks("u"), &context) {
            Look::Absent => "absent".to_owned(),
            Look::Unsure(why) => format!("unsure {why}"),
            Look::Present(found) => match found.state {
                FoundState::Ready(outputs) => format!("ready {outputs}"),
                FoundState::Failed(error) => format!("failed {:?}", error.kind()),
                FoundState::Pending { says } => says,
            },
            Look::Several(ids) => ids.join(" "),
        };
        assert_eq!(look, expected);
    }
}

#[test]
fn only_the_template_made_with_a_node_group_goes_with_it() {
    let group =
        |marks: &Marks| eks::Nodegroup { tags: marks.onto(&Tags::new()), ..eks::Nodegroup::default() };
    let own = found("t", &marks("u"));
    let later = Marks { operation: "later".into(), ..marks("v") };
    assert!(made_with(&own, &group(&marks("u")), &later));
    assert!(!made_with(&own, &group(&marks("v")), &later), "made for another node group");
    let stranger = Marks { installation: "j".into(), ..later };
    assert!(!made_with(&own, &group(&marks("u")), &stranger), "made by another installation");
    let users = wire::LaunchTemplate { tag_set: List::default(), ..own };
    assert!(!made_with(&users, &eks::Nodegroup::default(), &marks("u")), "the user's own");
}

#[test]
fn the_template_stands_before_its_node_group() {
    let request: NodeGroupRequest = serde_json::from_value(json!({
        "name": "g", "image": "ami-1", "scaling": {"autoScaling": false, "min": 1, "max": 2, "desired": 1},
    }))
    .unwrap();
    let template = Template {
        image: "ami-1".into(),
        key: None,
        disk: Some(("/dev/xvda".into(), 50)),
        security_groups: vec!["sg-1".into()],
    };
    let choice = Choice { template: Some(template), ..Choice::default() };
    let marks = marks("u");
    let group =
        Group { cluster: "c", subnets: vec![], role: "r", tags: marks.onto(&Tags::new()), marks: &marks };
    let stages = group.stages(&request, choice, &["control plane"]);
    let order: Vec<String> =
        stages.iter().map(|stage| format!("{} < {}", stage.name, stage.after.join(" + "))).collect();
    assert_eq!(
        order,
        [
            "launch template of g < control plane",
            "node group g < launch template of g",
            "autoscaling of g < node group g",
        ]
    );
    assert_eq!(stages[0].identity, Identity::UniqueName);
    let name = stages[0].parameters["name"].as_str().unwrap();
    assert_eq!(name, format!("pmks-g-{}", marks.suffix()));
    assert_eq!(stages[0].parameters["tags"]["pmks-cluster"], "c");
    assert_eq!(stages[1].parameters["template"], json!({"stage": "launch template of g"}));
    let body = &stages[1].parameters["body"];
    assert!(body.get("amiType").is_none() && body.get("diskSize").is_none(), "{body}");
}

#[test]
fn names_fit_whatever_the_node_group_is_called() {
    let longest = "g".repeat(63);
    let name = convert::template_name(&longest, &marks("u"));
    assert!((3..=128).contains(&name.len()), "{name}");
}
