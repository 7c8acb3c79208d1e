//! The fault matrix of Google Cloud.

pmks_suites::fault_matrix!(pmks_gcp_tests::GCP);
