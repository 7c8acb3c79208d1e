//! The kill matrix of the Mock cloud.

pmks_suites::kill_matrix!(pmks_mock_tests::MOCK);
