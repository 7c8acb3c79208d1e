//! The system's clock is set back and forth under a server that works on this cloud.

use pmks_azure_tests::AZURE;

pmks_suites::clock!(AZURE);
