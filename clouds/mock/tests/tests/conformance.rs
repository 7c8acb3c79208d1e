//! Every conformance case against the Mock cloud, each in a world of its own.

pmks_suites::conformance!(pmks_mock_tests::MOCK);

/// As users have it: those cases that make and change things, where nothing has to be waited for.
mod at_once {
    pmks_suites::conformance_without_zone!(pmks_mock_tests::MOCK_AT_ONCE;
        a_cluster_with_node_groups_comes_and_goes,
        a_failed_creation_comes_right_at_a_retry,
        a_lost_answer_makes_nothing_twice,
        a_cluster_is_upgraded_hop_by_hop,
        auto_scaling_is_switched_on_and_off,
        volumes_of_workloads_go_on_request_alone,
    );
}
