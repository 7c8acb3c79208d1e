//! The driver of Amazon EKS.
