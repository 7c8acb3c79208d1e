//! The contract of a cloud's driver: reads, stages, capabilities, errors.
