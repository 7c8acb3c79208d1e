//! The bodies of /v1: serde and schema, no logic. Shared by server and command line.
