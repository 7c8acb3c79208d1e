//! The HTTP surface: /v1, health, metrics, authentication.
