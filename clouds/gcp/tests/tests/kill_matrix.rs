//! The kill matrix of Google Cloud.

pmks_suites::kill_matrix!(pmks_gcp_tests::GCP);
