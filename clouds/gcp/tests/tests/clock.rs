//! The system's clock is set back and forth under a server that works on this cloud.

use pmks_gcp_tests::GCP;

pmks_suites::clock!(GCP);
