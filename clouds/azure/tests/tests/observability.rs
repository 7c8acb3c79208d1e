//! What a server tells of its work on this cloud, read by software that others wrote.

use pmks_azure_tests::AZURE;

pmks_suites::observability!(AZURE);
