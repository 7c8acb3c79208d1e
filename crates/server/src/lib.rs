//! The HTTP surface: `/v1`, its document, health, metrics, authentication.
//!
//! [`router`] is everything that is answered, with or without a socket: the command line calls it in its own process.
//! [`serve`] puts it on a socket, with the limits that a socket needs. Handlers parse, call `pmks_core`, answer:
//! nothing here decides what a cloud is asked.

mod state;

mod access;
mod authentication;

mod admission;
mod answer;
mod ask;
mod convert;
mod date;
mod document;
mod log_level;
mod readers;
mod readiness;
mod refused;
mod routes;
mod spider;
mod telemetry;

mod serve;

pub use authentication::{Authentication, InProcess, NoRandomness};
pub use document::{document, document_json};
pub use log_level::LogFilter;
pub use serve::{Limits, ServeError, ServeOptions, Serving, Tls, serve};
pub use state::State;
pub use telemetry::{log_line_lost, table as metrics_table};

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::any_service;

/// Everything that is answered. Limits of a socket (connections, slow headers) are [`serve`]'s.
///
/// A caller in the same process puts [`InProcess`] into the request's extensions instead of sending a token.
pub fn router(state: State) -> Router {
    answered(&Arc::new(state))
}

/// The same. One layer does all that every request has in common: each costs a copy of what lies below it, at each
/// request.
fn answered(state: &Arc<State>) -> Router {
    let (routes, _) = routes::all().split_for_parts();
    let own = routes.layer(from_fn_with_state(Arc::clone(state), answer::answer));
    let own = own.with_state(Arc::clone(state));
    match spider::routes(state) {
        // Nested, it has no path that ends with this slash.
        Some(spider) => own.route("/spider/", any_service(spider.clone())).nest("/spider", spider),
        None => own,
    }
}
