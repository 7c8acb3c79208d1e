//! What pmks remembers: intents, operations, observations, credentials. SQLite now; PostgreSQL by the same seam.
