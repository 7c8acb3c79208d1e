//! One HTTP client for every cloud: signing hook, time limits, retries, request budget, tracing, redaction, record
//! of exchanges.
//!
//! A driver builds a [`Client`] from the process-wide [`Transport`], describes one cloud call as a [`Call`] and gets
//! back the cloud's [`Response`], whatever its status. What the status means is the driver's to say; whether an
//! unanswered call may be sent again is said by the call's [`Effect`].
//!
//! ```no_run
//! use std::sync::Arc;
//! use pmks_transport::{
//!     AllowedHost, Call, ClientOptions, Effect, Lane, Method, NoSigner, SystemClock, Transport, Url,
//! };
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let transport = Transport::builder(Arc::new(SystemClock)).build();
//! let endpoint = Url::parse("https://eks.ap-northeast-2.amazonaws.com/clusters")?;
//! let mut options = ClientOptions::new("aws", Arc::new(NoSigner));
//! options.allowed_hosts = vec![AllowedHost::origin_of(&endpoint)];
//! let client = transport.client(options)?;
//! let call = Call::new("eks", "eks.ListClusters", Effect::Read, Method::GET, endpoint)
//!     .query("maxResults", "100")
//!     .lane(Lane::Refresh);
//! let response = client.send(call).await?;
//! println!("{} {:?}", response.status, response.request_id);
//! # Ok(())
//! # }
//! ```
//!
//! This crate never decides what an error of a cloud means, never repeats a call that may have been applied unless
//! it is a read, never follows a redirect, and knows no provider by name.

mod effect;

mod clock;
mod virtual_clock;

mod call;
mod error;
mod hosts;
mod renewable;
mod response;
mod shared_reads;
mod signer;

mod budget;
mod fair_queue;
mod large;
mod limits;
mod skew;

pub mod redaction;

mod fault;
mod observer;
mod recorder;

mod attempt;
mod client;
mod client_certificate;
mod pool;
mod telemetry;
mod trace_context;
mod transport;

pub use budget::{Bucket, Buckets, BudgetReading};
pub use call::{Call, below};
pub use client::{Client, ClientOptions};
pub use client_certificate::ClientCertificate;
pub use clock::{Clock, SystemClock};
pub use effect::{Effect, Lane};
pub use error::{Error, ErrorKind};
pub use fault::{Fault, FaultLayer, FaultRule, Faults, When};
pub use hosts::{AllowedHost, is_link_local};
pub use limits::Limits;
pub use observer::{CallFacts, CallObserver, Outcome};
pub use pool::not_a_certificate;
pub use recorder::{DirectoryRecorder, Exchange, MemoryRecorder, Recorder};
pub use redaction::Redaction;
pub use renewable::Renewable;
pub use response::{Response, Verdict, classify_by_status, retry_after};
pub use signer::{NoSigner, Renewal, SignContext, SignError, Signer};
pub use trace_context::{Sampling, TraceContext};
pub use transport::{Transport, TransportBuilder};
pub use virtual_clock::VirtualClock;

pub use bytes::Bytes;
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use url::Url;
