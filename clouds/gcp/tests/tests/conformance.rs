//! Every conformance case against the simulated Google Cloud, each in a world of its own.

pmks_suites::conformance!(pmks_gcp_tests::GCP);
