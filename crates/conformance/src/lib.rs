//! The cases that every driver must pass, against any endpoint.
