//! Software that others wrote, and what a client that others wrote does, at `/spider` with the Mock cloud behind.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what fails in a helper fails the test that calls it, and the figures are for who reads along"
)]

mod described;
mod stand;
mod tumblebug;
