//! kubectl at a cluster, behind which the built-in endpoint and a real control plane answer in turn.

use pmks_aws_tests::{AWS, REQUIREMENTS};
use pmks_suites::kubernetes::Script;
use pmks_suites::schema_gate::Reader;

pmks_suites::kubernetes!(AWS, Script::Whole, REQUIREMENTS, Reader::Shared("botocore_models"));
