//! The binary `pmks`.
fn main() {}
