//! A client of CB-Spider, with the Mock cloud behind.

use pmks_mock_tests::MOCK_AT_ONCE;

pmks_suites::conversation!(MOCK_AT_ONCE);
