//! The simulated AWS: EKS, EC2, IAM, Auto Scaling, STS, Elastic Load Balancing and `CloudWatch` on one port.
//!
//! Speaks AWS' wire protocols with types of its own; never shares one with the driver that it tests.

mod auto_scaling;
mod catalogue;
mod cloud;
mod cloudwatch;
mod context;
mod ec2;
mod eks;
mod elb;
mod error;
mod front;
mod iam;
mod others;
mod query;
mod reply;
mod signature;
mod sts;
mod world;
mod xml;

#[cfg(test)]
mod tests;

pub use cloud::{AwsCloud, Settings};
