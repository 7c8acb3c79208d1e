//! Many clusters at once on the Mock cloud, whose accounts and networks have no bounds.

use pmks_mock_tests::MOCK;
use pmks_suites::crowd::Room;

pmks_suites::crowd!(MOCK, Room { account: 200, network: 100 });
