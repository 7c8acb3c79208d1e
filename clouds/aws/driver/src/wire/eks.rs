//! The shapes of eks.
