//! The kill matrix of AWS, with what only EKS has: a way in that an access entry gives, and add-ons.

#![expect(clippy::unwrap_used, reason = "a test cannot go on without it")]

use pmks_core::Mutation;
use pmks_model::OperationKind;
use pmks_simulation::{Effect, Rule};
use pmks_suites::kill_matrix::{HERE, Offer, Scene, Step, scenes};
use serde_json::Value;

pmks_suites::kill_matrix!(
    pmks_aws_tests::AWS,
    prerequisite_fix_of_a_cluster => access,
    retry_after_a_failed_add_on => failed_add_on,
);

/// A prerequisite of one cluster: the way in.
fn access(offer: &Offer) -> Scene {
    let asks = Mutation::FixPrerequisites { connection: HERE.into(), cluster: Some("prod".into()) };
    let before = scenes::standing(offer, &offer.new, &[], [Step::Changes(lock_out)]);
    Scene::new(before, asks).making(&[("accessEntry", 1)])
}

/// The next attempt after AWS ended an add-on as failed.
fn failed_add_on(offer: &Offer) -> Scene {
    let mut rule = Rule::new("eks", "CreateAddon", Effect::FailWhileCreating { code: None }).times(1);
    rule.matcher.resource = Some("aws-ebs-csi-driver".to_owned());
    let change = offer.under_test.change(OperationKind::ClusterCreate).unwrap();
    Scene::new(scenes::ground(offer), scenes::cluster_with_everything(offer)).making(change).failing(rule)
}

/// Removes the way in of whoever made a cluster.
fn lock_out(world: &mut Value) {
    match world {
        Value::Object(fields) => {
            fields.retain(|key, _| !(key.starts_with("arn:aws:iam::") && key.ends_with(":user/pmks")));
            fields.values_mut().for_each(lock_out);
        }
        Value::Array(items) => items.iter_mut().for_each(lock_out),
        _ => {}
    }
}
