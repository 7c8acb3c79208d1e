//! A cluster's own Kubernetes API, as far as a deletion needs it: what made balancers and volumes.
