//! Every exchange of every conformance case against Google's discovery documents.

use pmks_gcp_tests::{GCP, REQUIREMENTS};
use pmks_suites::schema_gate::Reader;

pmks_suites::schema_gate!(GCP, REQUIREMENTS, Reader::Shared("discovery_documents"));
