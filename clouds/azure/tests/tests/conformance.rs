//! Every conformance case against the simulated Azure, each in a world of its own.

pmks_suites::conformance!(pmks_azure_tests::AZURE);
