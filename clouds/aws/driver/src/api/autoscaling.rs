//! The calls of autoscaling.
