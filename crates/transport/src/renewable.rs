//! What signatures are made with for a while – a token, short-lived keys: kept until shortly before its end, asked for
//! once at a time, thrown away when the cloud refuses it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::Renewal;

/// How long what replaced something refused is kept, though it be refused as well: a credential that the cloud gives
/// tokens to and then takes none of must not double every call. A cloud whose parts hear of a new token one after the
/// other has come round by then.
const RESPITE: SignedDuration = SignedDuration::from_secs(30);

/// Something that ends and can be had anew. Stays in memory.
pub struct Renewable<T> {
    renewed_before: SignedDuration,
    state: Mutex<State<T>>,
}

struct State<T> {
    kept: Option<(T, Timestamp)>,
    /// When the cloud's refusal made us throw one away.
    thrown_away: Option<Timestamp>,
    /// The cloud has carried something out that was signed with one.
    is_proven: bool,
    /// What is kept was refused within its respite.
    refused_young: bool,
    /// So was the one before it, and that was waited for already.
    has_waited: bool,
}

impl<T> State<T> {
    /// How much is left at `now` of the half minute in which what is kept stays.
    fn respite(&self, now: Timestamp) -> Option<Duration> {
        let passed = now.duration_since(self.thrown_away?).abs();
        Duration::try_from(RESPITE.checked_sub(passed)?).ok().filter(|left| !left.is_zero())
    }
}

impl<T> Renewable<T> {
    /// Nothing yet. It will be renewed that long before its end: longer than any call takes.
    pub fn new(renewed_before: SignedDuration) -> Self {
        let state = State {
            kept: None,
            thrown_away: None,
            is_proven: false,
            refused_young: false,
            has_waited: false,
        };
        Self { renewed_before, state: Mutex::new(state) }
    }

    /// Whether something of that end needs no renewal yet.
    fn is_fresh(&self, now: Timestamp, end: Timestamp) -> bool {
        end.duration_since(now) > self.renewed_before
    }
}

impl<T: Clone> Renewable<T> {
    /// What is good at `now`, and for some time after; `renew` is polled only where nothing is, by one caller at a
    /// time: who comes meanwhile waits for the same answer. While nobody answers (`is_passing`), what holds a little
    /// longer serves.
    ///
    /// # Errors
    /// Those of `renew`.
    pub async fn at<E>(
        &self,
        now: Timestamp,
        is_passing: impl Fn(&E) -> bool,
        renew: impl Future<Output = Result<(T, Timestamp), E>>,
    ) -> Result<T, E> {
        let mut state = self.state.lock().await;
        if let Some((fresh, _)) = state.kept.as_ref().filter(|(_, end)| self.is_fresh(now, *end)) {
            return Ok(fresh.clone());
        }
        match renew.await {
            Ok((renewed, end)) => Ok(state.kept.insert((renewed, end)).0.clone()),
            Err(error) => match state.kept.as_ref().filter(|(_, end)| *end > now) {
                Some((still, _)) if is_passing(&error) => Ok(still.clone()),
                _ => Err(error),
            },
        }
    }

    /// The cloud refused a request that was signed with what `is_it` tells. Throws that away, if it is what is kept,
    /// and answers whether there is, or will be, another to sign with. Each is thrown away once, whoever was refused
    /// with it; and one that came in the place of a refused one stays for half a minute. Where the credential was good
    /// before, that half minute is to be waited for, once: if the one after it is refused as well, the credential is.
    pub async fn refused(&self, now: Timestamp, is_it: impl Fn(&T) -> bool) -> Renewal {
        let mut state = self.state.lock().await;
        if !state.kept.as_ref().is_some_and(|(kept, _)| is_it(kept)) {
            // Another call has thrown it away, and perhaps has a new one already.
            return Renewal::Now;
        }
        if let Some(left) = state.respite(now) {
            state.refused_young = true;
            let may_heal = state.is_proven && !state.has_waited;
            return if may_heal { Renewal::After(left) } else { Renewal::Never };
        }
        state.kept = None;
        state.thrown_away = Some(now);
        state.has_waited = std::mem::take(&mut state.refused_young);
        Renewal::Now
    }

    /// The cloud carried out a request that was signed with what `is_it` tells.
    pub async fn accepted(&self, is_it: impl Fn(&T) -> bool) {
        let mut state = self.state.lock().await;
        if state.kept.as_ref().is_some_and(|(kept, _)| is_it(kept)) {
            state.is_proven = true;
        }
    }
}

/// Never what is kept: it is a secret.
impl<T> std::fmt::Debug for Renewable<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renewable").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-23T{text}Z").parse().unwrap()
    }

    /// Tokens by number, of one hour.
    struct Source {
        tokens: Renewable<u32>,
        given: AtomicU32,
    }

    impl Source {
        fn new() -> Self {
            Self { tokens: Renewable::new(SignedDuration::from_mins(5)), given: AtomicU32::new(0) }
        }

        async fn at(&self, now: Timestamp) -> u32 {
            let renew = async {
                tokio::task::yield_now().await;
                let end = now.saturating_add(SignedDuration::from_hours(1)).unwrap();
                Ok::<_, &str>((self.given.fetch_add(1, Ordering::Relaxed) + 1, end))
            };
            self.tokens.at(now, |_| false, renew).await.unwrap()
        }
    }

    #[tokio::test]
    async fn it_is_asked_for_once_and_renewed_before_its_end() {
        let source = Source::new();
        let now = at("10:00:00");
        assert_eq!(tokio::join!(source.at(now), source.at(now), source.at(now)), (1, 1, 1));
        assert_eq!(source.at(at("10:54:59")).await, 1);
        assert_eq!(source.at(at("10:55:00")).await, 2);
    }

    #[tokio::test]
    async fn while_nobody_answers_the_last_minutes_are_used() {
        let source = Source::new();
        source.at(at("10:00:00")).await;
        let later = async |now, passing| {
            let failing = std::future::ready(Err::<(u32, Timestamp), _>("no answer"));
            source.tokens.at(now, |_| passing, failing).await
        };
        assert_eq!(later(at("10:59:00"), true).await, Ok(1));
        assert_eq!(later(at("10:59:00"), false).await, Err("no answer"));
        assert_eq!(later(at("11:00:00"), true).await, Err("no answer"));
    }

    #[tokio::test]
    async fn each_refused_one_is_replaced_once_for_all_that_were_refused_with_it() {
        let source = Source::new();
        let now = at("10:00:00");
        let refused = async |token, now| source.tokens.refused(now, |kept| *kept == token).await;
        assert_eq!(source.at(now).await, 1);
        assert_eq!(refused(1, now).await, Renewal::Now);
        assert_eq!(refused(1, now).await, Renewal::Now, "both may be sent again");
        assert_eq!(tokio::join!(source.at(now), source.at(now)), (2, 2));
        assert_eq!(refused(1, now).await, Renewal::Now, "a late refusal of the old one throws nothing away");
        assert_eq!(source.at(now).await, 2);
        let wrong = refused(2, at("10:00:29")).await;
        assert_eq!(wrong, Renewal::Never, "a wrong credential is named at once, and doubles no further call");
        assert_eq!(source.at(at("10:00:29")).await, 2);
        assert_eq!(refused(2, at("10:00:30")).await, Renewal::Now);
        assert_eq!(source.at(at("10:00:30")).await, 3);
    }

    /// A good credential whose token is refused, and the next one too: half a minute is waited for, and no second one.
    #[tokio::test]
    async fn a_credential_that_was_good_has_half_a_minute() {
        let source = Source::new();
        let refused = async |token, now| source.tokens.refused(now, |kept| *kept == token).await;
        let accepted = async |token| source.tokens.accepted(|kept| *kept == token).await;
        source.at(at("10:00:00")).await;
        accepted(1).await;
        assert_eq!(refused(1, at("10:00:10")).await, Renewal::Now);
        assert_eq!(source.at(at("10:00:10")).await, 2);
        assert_eq!(refused(2, at("10:00:12")).await, Renewal::After(Duration::from_secs(28)));
        assert_eq!(refused(2, at("10:00:39")).await, Renewal::After(Duration::from_secs(1)));
        assert_eq!(refused(2, at("10:00:40")).await, Renewal::Now);
        assert_eq!(source.at(at("10:00:40")).await, 3);
        // It was waited for, and did not help: whatever else is accepted.
        accepted(3).await;
        assert_eq!(refused(3, at("10:00:41")).await, Renewal::Never);
        assert_eq!(refused(3, at("10:01:10")).await, Renewal::Now);
        assert_eq!(source.at(at("10:01:10")).await, 4);
        assert_eq!(refused(4, at("10:01:11")).await, Renewal::Never);
        // One that outlives its half minute is good again.
        assert_eq!(refused(4, at("10:01:40")).await, Renewal::Now);
        assert_eq!(source.at(at("10:01:40")).await, 5);
        assert_eq!(refused(5, at("10:20:00")).await, Renewal::Now);
        assert_eq!(source.at(at("10:20:00")).await, 6);
        assert_eq!(refused(6, at("10:20:01")).await, Renewal::After(Duration::from_secs(29)));
    }

    #[test]
    fn debug_shows_nothing_that_is_kept() {
        let text = format!("{:?}", Renewable::<String>::new(SignedDuration::ZERO));
        assert_eq!(text, "Renewable { .. }");
    }
}
