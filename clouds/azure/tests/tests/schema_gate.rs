//! Every exchange of every conformance case against the models of Azure's own SDK.

use pmks_azure_tests::{AZURE, CONTRACT, REQUIREMENTS};

pmks_suites::schema_gate!(AZURE, REQUIREMENTS, CONTRACT);
