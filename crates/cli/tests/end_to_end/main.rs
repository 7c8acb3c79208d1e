//! The binary from outside: what users type, what they see, how it ends.

mod bad_input;
mod configuration;
mod connections;
mod demo;
mod grammar;
mod kubeconfig;
mod sandbox;
mod serving;
mod survival;
