//! Every exchange of every conformance case against Google's discovery documents.

use pmks_gcp_tests::{CONTRACT, GCP};

pmks_suites::schema_gate!(GCP, CONTRACT);
