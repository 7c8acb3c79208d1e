//! The calls of eks.
