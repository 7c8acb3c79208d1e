//! The shapes of autoscaling.
