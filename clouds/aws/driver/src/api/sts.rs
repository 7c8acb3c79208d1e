//! The calls of sts.
