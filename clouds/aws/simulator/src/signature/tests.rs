//! Signatures of AWS' published test suite and of botocore, against this verification.

use super::*;
