//! A client of CB-Spider, with AWS behind.

use pmks_aws_tests::AWS;

pmks_suites::conversation!(AWS);
