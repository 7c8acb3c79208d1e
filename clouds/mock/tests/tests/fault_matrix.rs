//! The fault matrix of the Mock cloud.

pmks_suites::fault_matrix!(pmks_mock_tests::MOCK);
