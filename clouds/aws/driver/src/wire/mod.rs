//! What AWS' services take and answer, one file a service: only the fields we use; unknown ones are ignored.

pub(crate) mod autoscaling;
pub(crate) mod cloudwatch;
pub(crate) mod ec2;
pub(crate) mod eks;
pub(crate) mod elb;
pub(crate) mod elbv2;
pub(crate) mod iam;
pub(crate) mod launch_templates;
pub(crate) mod sts;
