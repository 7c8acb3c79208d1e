//! What a server tells of its work on this cloud, read by software that others wrote.

use pmks_aws_tests::AWS;

pmks_suites::observability!(AWS);
