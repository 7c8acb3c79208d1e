//! The fault matrix of Azure.

pmks_suites::fault_matrix!(pmks_azure_tests::AZURE);
