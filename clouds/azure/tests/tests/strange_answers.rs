//! Answers that no cloud should give, at the simulated Azure.

use pmks_azure_tests::AZURE;

pmks_suites::strange_answers!(AZURE);
