//! Every exchange of every conformance case against botocore's models of AWS' services.

use pmks_aws_tests::{AWS, CONTRACT};

pmks_suites::schema_gate!(AWS, CONTRACT);
