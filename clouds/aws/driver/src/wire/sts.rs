//! The shapes of sts.
