//! x
mod texts;
