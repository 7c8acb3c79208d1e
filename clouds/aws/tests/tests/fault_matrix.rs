//! The fault matrix of AWS.

pmks_suites::fault_matrix!(pmks_aws_tests::AWS);
