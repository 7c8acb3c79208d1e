//! A client of CB-Spider, with Azure behind.

use pmks_azure_tests::AZURE;

pmks_suites::conversation!(AZURE);
