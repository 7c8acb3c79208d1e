//! Every conformance case against the simulated AWS, each in a world of its own.

pmks_suites::conformance!(pmks_aws_tests::AWS);
