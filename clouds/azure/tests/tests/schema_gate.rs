//! Every exchange of every conformance case against the models of Azure's own SDK.

use pmks_azure_tests::{AZURE, GATE, REQUIREMENTS};
use pmks_suites::schema_gate::Reader;

pmks_suites::schema_gate!(AZURE, REQUIREMENTS, Reader::Own(GATE));
