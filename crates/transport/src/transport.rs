//! What all clients of the process share: connection pools, budgets, clock, recorders. Knows no credential.

use std::fmt;
use std::sync::Arc;

use crate::budget::Budget;
use crate::large::LargeAnswers;
use crate::pool::{self, Pool, Pools};
use crate::shared_reads::SharedReads;
use crate::skew::Skew;
use crate::{
    BudgetReading, CallObserver, Client, ClientOptions, Clock, Error, ErrorKind, FaultLayer, Recorder,
};

/// The process's transport; clones share everything.
#[derive(Clone)]
pub struct Transport {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pools: Box<dyn Pool>,
    pub(crate) budget: Budget,
    pub(crate) large: LargeAnswers,
    pub(crate) reads: SharedReads,
    pub(crate) skew: Skew,
    pub(crate) recorders: Vec<Arc<dyn Recorder>>,
    pub(crate) faults: Option<Arc<dyn FaultLayer>>,
    pub(crate) observers: Vec<Arc<dyn CallObserver>>,
}

impl Transport {
    /// Begins a transport that lives by `clock`.
    pub fn builder(clock: Arc<dyn Clock>) -> TransportBuilder {
        TransportBuilder {
            clock,
            user_agent: concat!("pmks/", env!("CARGO_PKG_VERSION")).to_owned(),
            recorders: Vec::new(),
            faults: None,
            observers: Vec::new(),
        }
    }

    /// A client for one connection. Makes no call.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the CA certificate is not PEM or holds no certificate.
    pub fn client(&self, options: ClientOptions) -> Result<Client, Error> {
        let invalid = |message: &str| Error::new(ErrorKind::Invalid, "client", message);
        let own = pool::certificates(options.ca_certificate.as_deref())
            .map_err(|error| invalid("the CA certificate is not PEM").caused_by(error))?;
        if options.ca_certificate.is_some() && own.is_empty() {
            return Err(invalid("the CA certificate's text holds no certificate"));
        }
        Ok(Client::new(self.clone(), options))
    }

    /// How the request budget stands, by action.
    pub fn budgets(&self) -> Vec<BudgetReading> {
        self.shared.budget.readings()
    }

    /// The clock that everything here lives by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("clock", &self.shared.clock).finish_non_exhaustive()
    }
}

/// Builds a [`Transport`].
#[must_use]
pub struct TransportBuilder {
    clock: Arc<dyn Clock>,
    user_agent: String,
    recorders: Vec<Arc<dyn Recorder>>,
    faults: Option<Arc<dyn FaultLayer>>,
    observers: Vec<Arc<dyn CallObserver>>,
}

impl TransportBuilder {
    /// Adds a recorder; each exchange goes to all of them.
    pub fn recorder(mut self, recorder: Arc<dyn Recorder>) -> Self {
        self.recorders.push(recorder);
        self
    }

    /// Sets the fault layer. For tests and demonstrations.
    pub fn faults(mut self, faults: Arc<dyn FaultLayer>) -> Self {
        self.faults = Some(faults);
        self
    }

    /// Adds an observer; each is told of every try, in the order they were added.
    pub fn observer(mut self, observer: Arc<dyn CallObserver>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Sets the `User-Agent`; `pmks/VERSION` otherwise.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Builds it. Opens no connection.
    pub fn build(self) -> Transport {
        let shared = Shared {
            pools: Box::new(Pools::new(self.user_agent)),
            budget: Budget::new(Arc::clone(&self.clock)),
            large: LargeAnswers::default(),
            reads: SharedReads::default(),
            skew: Skew::default(),
            clock: self.clock,
            recorders: self.recorders,
            faults: self.faults,
            observers: self.observers,
        };
        Transport { shared: Arc::new(shared) }
    }
}

impl fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBuilder").field("clock", &self.clock).finish_non_exhaustive()
    }
}
