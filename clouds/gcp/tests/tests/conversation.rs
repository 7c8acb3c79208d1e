//! A client of CB-Spider, with Google behind.

use pmks_gcp_tests::GCP;

pmks_suites::conversation!(GCP);
