//! Software that others wrote, and what a client that others wrote does, at `/spider` with the Mock cloud behind.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test that calls them"
)]

mod described;
mod stand;
mod tumblebug;
