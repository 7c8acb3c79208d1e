//! The domain of pmks: names, clusters, versions, scaling, requests and their validation. No I/O, no async.
