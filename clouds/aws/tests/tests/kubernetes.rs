//! kubectl at a cluster, behind which the built-in endpoint and a real control plane answer in turn.

use pmks_aws_tests::AWS;
use pmks_suites::kubernetes::Script;

pmks_suites::kubernetes!(AWS, Script::Whole);
