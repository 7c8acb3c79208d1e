//! Many clusters at once on this cloud, in as many accounts as its default quotas ask for.
//!
//! EKS lets an account have 100 clusters in a region, whichever network they are in.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html>

use pmks_aws_tests::AWS;
use pmks_suites::crowd::Room;

pmks_suites::crowd!(AWS, Room { account: 100, network: 100 });
