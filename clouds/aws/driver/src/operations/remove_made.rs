//! The plan of the end of what a creation made before it failed at the thing itself: the launch template of a node group
//! that EKS refused, and the internet gateway of a network by a release that made it first.

use pmks_driver::{Prepared, StageSpecification};
use pmks_model::Child;

use super::{delete_resource, launch_template};

/// Answers the plan. No call.
pub(crate) fn prepare(made: &[Child]) -> Prepared {
    Prepared::of(made.iter().filter_map(removal))
}

fn removal(made: &Child) -> Option<StageSpecification> {
    match made.kind.as_str() {
        launch_template::CHILD => {
            let template = Child { name: made.system_id.clone(), ..made.clone() };
            Some(launch_template::removal(&template))
        }
        delete_resource::GATEWAY => Some(delete_resource::removal_of_gateway(&made.system_id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Stage;
    use crate::operations::create_network::Gateway;

    fn made(kind: &str, id: &str) -> Child {
        Child {
            kind: kind.into(),
            system_id: id.into(),
            name: "a stage".into(),
            made_by: String::new(),
            goes_with_cluster: false,
        }
    }

    #[test]
    fn what_creations_make_beside_the_thing_itself_has_a_removal() {
        let prepared = prepare(&[made("launchTemplate", "lt-1"), made("gateway", "igw-1"), made("x", "x-1")]);
        let names: Vec<&str> = prepared.plan.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["removal of launch template lt-1", "internet gateway igw-1"]);
        // What a stage has made is called by the last word of its kind.
        assert!(Gateway::KIND.ends_with(delete_resource::GATEWAY));
        assert_eq!(launch_template::MADE_BY, format!("aws.{}", launch_template::CHILD));
    }
}
