//! Answers that no cloud should give, at the simulated AWS.

use pmks_aws_tests::AWS;

pmks_suites::strange_answers!(AWS);
