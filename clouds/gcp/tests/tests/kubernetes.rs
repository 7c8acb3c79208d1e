//! kubectl at a cluster, behind which the built-in endpoint and a real control plane answer in turn.

use pmks_gcp_tests::{GCP, REQUIREMENTS};
use pmks_suites::kubernetes::Script;
use pmks_suites::schema_gate::Reader;

pmks_suites::kubernetes!(GCP, Script::OfTheCloud, REQUIREMENTS, Reader::Shared("discovery_documents"));
