//! Answers that no cloud should give, at the Mock cloud.

use pmks_mock_tests::MOCK;

pmks_suites::strange_answers!(MOCK);
