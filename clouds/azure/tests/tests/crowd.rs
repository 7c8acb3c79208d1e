//! Many clusters at once on this cloud, in as many accounts as its default quotas ask for.
//!
//! AKS lets a subscription have 100 clusters in a region.
//!
//! Source: <https://learn.microsoft.com/azure/aks/quotas-skus-regions>

use pmks_azure_tests::AZURE;
use pmks_suites::crowd::Room;

pmks_suites::crowd!(AZURE, Room { account: 100, network: 100 });
