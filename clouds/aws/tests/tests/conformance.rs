//! Every conformance case against the simulated AWS, each in a world of its own.

pmks_conformance::conformance!(pmks_aws_tests::rig);
