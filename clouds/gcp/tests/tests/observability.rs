//! What a server tells of its work on this cloud, read by software that others wrote.

use pmks_gcp_tests::GCP;

pmks_suites::observability!(GCP);
