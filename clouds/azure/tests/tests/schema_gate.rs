//! Every exchange of every conformance case against the models of Azure's own SDK.

use pmks_azure_tests::{AZURE, CONTRACT};

pmks_suites::schema_gate!(AZURE, CONTRACT);
