//! Every conformance case against the simulated Google Cloud, each in a world of its own.

pmks_suites::conformance!(pmks_gcp_tests::GCP);

/// Regional clusters: those cases whose sizes are shared out among zones.
mod without_a_zone {
    pmks_suites::conformance_without_zone!(pmks_gcp_tests::GCP;
        a_cluster_with_node_groups_comes_and_goes,
        node_groups_are_added_and_removed,
        node_groups_scale_up_and_down,
        auto_scaling_is_switched_on_and_off,
        a_cluster_is_upgraded_hop_by_hop,
        a_stranger_before_a_scaling_is_left_alone,
        what_the_capabilities_forbid_is_a_finding,
        everything_wrong_comes_in_one_round,
        changes_send_one_request_a_stage,
    );
}
