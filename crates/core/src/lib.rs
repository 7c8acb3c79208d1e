//! What pmks does: connections, networks, clusters, the operation engine, the inventory, access. Knows drivers by their traits only.
