//! The system's clock is set back and forth under a server that works on this cloud.

use pmks_aws_tests::AWS;

pmks_suites::clock!(AWS);
