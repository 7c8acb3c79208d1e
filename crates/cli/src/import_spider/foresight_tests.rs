//! What is foreseen of rows that the server says the cloud has, or has not, or that others bring.

use pmks_meta_database::KnownKind;

use super::step::Standing;
use super::steps::Steps;
use super::tests::{GOOD, config, good, known, planned, region, said};

#[tokio::test]
async fn of_two_things_of_one_name_the_plan_says_which_is_left_out_and_what_helps() {
    let mut meta = good();
    meta.connection_configs.push(config("b", ["d", "c", "r"]));
    meta.known.extend([
        known(KnownKind::Network, "b", "", "n", "vpc-2"),
        known(KnownKind::Subnet, "b", "n", "s", "subnet-2"),
        known(KnownKind::Network, "b", "", "m", "vpc-3"),
        known(KnownKind::Cluster, "b", "n", "l", "l-1"),
        known(KnownKind::Cluster, "b", "n", "k", "k-2"),
        known(KnownKind::NodeGroup, "b", "k", "h", "h-1"),
    ]);
    let steps = planned(&meta, &[]).await;
    let of = |connection: &str| -> Vec<[String; 3]> {
        let at_it = steps.all().iter().filter(|step| step.connection == connection);
        at_it
            .map(|step| {
                let row = step.row();
                ["name", "standing", "why"].map(|key| row[key].as_str().unwrap().to_owned())
            })
            .collect()
    };
    let taken = |id: &str| {
        format!(
            "that name goes to {id}, of a, which is the same account and place: register it by another name, at \
             CB-Spider before or here after"
        )
    };
    let coming = "to be taken over";
    assert_eq!(
        of("b"),
        [
            ["n", "left out", &taken("vpc-1")],
            ["m", coming, ""],
            ["s", "left out", "its network n was not taken over"],
            ["l", coming, ""],
            ["k", "left out", &taken("k-1")],
            ["h", "left out", "its cluster k was not taken over"],
        ]
    );
    assert!(of("a").iter().all(|row| row[1] == coming), "{:?}", of("a"));
    // What is made of other pieces may lie elsewhere: whether a name is taken there only the server knows.
    meta.regions.push(region("elsewhere"));
    meta.connection_configs[1] = config("b", ["d", "c", "elsewhere"]);
    let rows = said(&planned(&meta, &[]).await);
    assert!(rows.iter().all(|row| row[2] == coming), "{rows:?}");
}

#[tokio::test]
async fn what_another_row_brings_is_there_by_then() {
    let mut meta = good();
    meta.connection_configs.push(config("b", ["d", "c", "r"]));
    meta.known.extend([
        known(KnownKind::Network, "b", "", "m", "VPC-1"),
        known(KnownKind::Subnet, "b", "m", "s", "subnet-1"),
        known(KnownKind::Subnet, "b", "m", "t", "subnet-2"),
        known(KnownKind::Cluster, "b", "m", "k", "k-1"),
        known(KnownKind::NodeGroup, "b", "k", "h", "g-1"),
        known(KnownKind::NodeGroup, "b", "k", "i", "i-1"),
    ]);
    let rows = |connection: &str, steps: &Steps| -> Vec<[String; 2]> {
        let at_it = steps.all().iter().filter(|step| step.connection == connection);
        at_it
            .map(|step| ["standing", "why"].map(|key| step.row()[key].as_str().unwrap().to_owned()))
            .collect()
    };
    let here = "is here already";
    let steps = planned(&meta, &[]).await;
    assert_eq!(
        rows("b", &steps),
        [
            [here, "by the name n, by then"],
            [here, "by then"],
            ["to be taken over", ""],
            [here, "by then"],
            [here, "by the name g, by then"],
            [here, "by the name i-1, by then"],
        ]
    );
    assert!(rows("a", &steps).iter().all(|row| row[0] == "to be taken over"), "{:?}", rows("a", &steps));
    // In another place the same identifiers may be other things'.
    meta.regions.push(region("elsewhere"));
    meta.connection_configs[1] = config("b", ["d", "c", "elsewhere"]);
    let steps = planned(&meta, &[]).await;
    assert!(rows("b", &steps).iter().all(|row| row[0] == "to be taken over"), "{:?}", rows("b", &steps));
}

#[tokio::test]
async fn what_is_gone_at_the_cloud_is_no_failure_and_takes_along_what_lies_in_it() {
    let mut meta = good();
    meta.known.extend([
        known(KnownKind::NodeGroup, "a", "k", "ghost", "gone-1"),
        known(KnownKind::Network, "a", "", "m", "gone-2"),
        known(KnownKind::Subnet, "a", "m", "t", "subnet-2"),
        known(KnownKind::Cluster, "a", "n", "l", "gone-3"),
        known(KnownKind::NodeGroup, "a", "l", "h", "h-1"),
    ]);
    let steps = planned(&meta, &[]).await;
    let gone: Vec<_> = said(&steps).into_iter().filter(|row| row[2] != "to be taken over").collect();
    assert_eq!(
        gone,
        [
            ["network", "m", "gone", "there is none"],
            ["subnet", "t", "gone", "with its network m"],
            ["cluster", "l", "gone", "there is none"],
            ["node group", "ghost", "gone", "there is none"],
            ["node group", "h", "gone", "with its cluster l"],
        ]
    );
    assert_eq!(steps.count(Standing::Failed), 0);
    // What another row brings is still to be asked for where that may fail.
    let mut learned = Steps::of(&meta);
    learned.learn(&steps);
    assert_eq!(learned.count(Standing::Gone), 5);
    assert_eq!(learned.count(Standing::Unknown), GOOD.len());
}

#[tokio::test]
async fn a_connection_that_does_not_work_is_asked_once() {
    let mut meta = good();
    meta.connection_configs.push(config("b", ["d", "c", "r"]));
    meta.known.extend([
        known(KnownKind::Network, "b", "", "first", "vpc-2"),
        known(KnownKind::Network, "b", "", "m", "silent"),
        known(KnownKind::KeyPair, "b", "", "p", "key-1"),
        known(KnownKind::Cluster, "b", "m", "l", "l-1"),
        known(KnownKind::NodeGroup, "b", "l", "h", "h-1"),
    ]);
    let rows = said(&planned(&meta, &[]).await);
    let failed: Vec<_> = rows.iter().filter(|row| row[2] != "to be taken over").collect();
    assert_eq!(
        failed,
        [
            &["network", "m", "failed", "unavailable: no answer"],
            &["key pair", "p", "failed", "as network m"],
            &["cluster", "l", "failed", "as network m"],
            &["node group", "h", "left out", "its cluster l was not taken over"],
        ]
    );
}
