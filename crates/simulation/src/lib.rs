//! What all simulated clouds share: accounts, the clock, faults, calls, the cluster's Kubernetes endpoint.
