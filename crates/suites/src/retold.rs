//! A simulated cloud whose answers pass through somebody who may change them. The world behind it is as it is.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use pmks_simulation::{Answered, Before, Cloud, Effects, Identified, Over};

/// Who answers in a cloud's place.
pub(crate) trait Tells: Send + Sync + 'static {
    /// The answer of one request; the cloud's own is what `cloud` answers.
    fn tell(
        &self,
        cloud: &dyn Cloud,
        request: &Request<Bytes>,
        call: &Identified,
        effects: &Effects,
    ) -> Answered {
        let answered = cloud.answer(request, call, effects);
        if answered.response.status().is_success() { self.retell(call, answered) } else { answered }
    }

    /// What is told instead of a good answer of the cloud's own.
    fn retell(&self, _call: &Identified, answered: Answered) -> Answered {
        answered
    }
}

/// A cloud and who answers in its place.
struct Retold<T> {
    cloud: Arc<dyn Cloud>,
    teller: Arc<T>,
}

impl<T: Tells> Before for Retold<T> {
    fn behind(&self) -> &dyn Cloud {
        &*self.cloud
    }

    fn answer(&self, request: &Request<Bytes>, call: &Identified, effects: &Effects) -> Answered {
        self.teller.tell(&*self.cloud, request, call, effects)
    }
}

/// The cloud as he tells of it.
pub(crate) fn retold<T: Tells>(cloud: Arc<dyn Cloud>, teller: Arc<T>) -> Arc<dyn Cloud> {
    Arc::new(Over(Retold { cloud, teller }))
}
