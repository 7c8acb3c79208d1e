//! From the wire to the model: pure functions.
