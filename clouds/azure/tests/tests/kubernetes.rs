//! kubectl at a cluster, behind which the built-in endpoint and a real control plane answer in turn.

use pmks_azure_tests::{AZURE, GATE, REQUIREMENTS};
use pmks_suites::kubernetes::Script;
use pmks_suites::schema_gate::Reader;

pmks_suites::kubernetes!(AZURE, Script::OfTheCloud, REQUIREMENTS, Reader::Own(GATE));
