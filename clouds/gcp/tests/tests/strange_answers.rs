//! Answers that no cloud should give, at the simulated Google Cloud.

use pmks_gcp_tests::GCP;

pmks_suites::strange_answers!(GCP);
