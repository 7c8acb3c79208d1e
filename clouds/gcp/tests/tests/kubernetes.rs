//! kubectl at a cluster, behind which the built-in endpoint and a real control plane answer in turn.

use pmks_gcp_tests::GCP;
use pmks_suites::kubernetes::Script;

pmks_suites::kubernetes!(GCP, Script::OfTheCloud);
