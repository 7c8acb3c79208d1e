//! Many clusters at once on this cloud, in as many accounts as its default quotas ask for.
//!
//! GKE gives each cluster a `/14` of `10.0.0.0/8` for its pods: a network has room for some sixty.
//!
//! Source: <https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips>

use pmks_gcp_tests::GCP;
use pmks_suites::crowd::Room;

pmks_suites::crowd!(GCP, Room { account: 100, network: 50 });
