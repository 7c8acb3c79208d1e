//! Every exchange of every conformance case against botocore's models of AWS' services.

use pmks_aws_tests::{AWS, REQUIREMENTS};
use pmks_suites::schema_gate::Reader;

pmks_suites::schema_gate!(AWS, REQUIREMENTS, Reader::Shared("botocore_models"));
