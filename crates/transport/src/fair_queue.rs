//! Who is next among the lanes: weighted fair queueing (start-time fair). Knows neither time nor tokens.
//!
//! Each lane has a finish tag that grows by 1/weight with each turn; the waiting lane with the smallest tag is next. A
//! lane that was empty begins at the tag of the latest turn, so it cannot save up turns while nobody waits in it.

use std::collections::VecDeque;

use crate::Lane;

/// Divisible by every weight, so tags stay whole.
const TURN: u64 = 8;

#[derive(Debug)]
pub(crate) struct FairQueue<T> {
    lanes: [Waiting<T>; 5],
    latest: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    lane: Lane,
    tag: u64,
    items: VecDeque<T>,
}

impl<T> FairQueue<T> {
    pub(crate) fn new() -> Self {
        Self { lanes: Lane::ALL.map(|lane| Waiting { lane, tag: 0, items: VecDeque::new() }), latest: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.iter().all(|waiting| waiting.items.is_empty())
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.lanes.iter().map(|waiting| waiting.items.len()).sum()
    }

    pub(crate) fn push(&mut self, lane: Lane, item: T) {
        let latest = self.latest;
        if let Some(waiting) = self.lanes.get_mut(lane.index()) {
            if waiting.items.is_empty() {
                waiting.tag = waiting.tag.max(latest);
            }
            waiting.items.push_back(item);
        }
    }

    /// Takes the next one whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let next = self.lanes.iter_mut().filter(|waiting| !waiting.items.is_empty()).min_by_key(|w| w.tag)?;
        self.latest = next.tag;
        next.tag += TURN / u64::from(next.lane.weight());
        next.items.pop_front()
    }

    /// How many turns pass until one who joins `lane` now has had a turn, if nobody else joins.
    pub(crate) fn turns_until(&self, lane: Lane) -> usize {
        let own = self.lanes.get(lane.index()).map_or(0, |waiting| waiting.items.len()) + 1;
        let others = self.lanes.iter().filter(|waiting| waiting.lane != lane).map(|other| {
            let share = own.saturating_mul(other.lane.weight() as usize).div_ceil(lane.weight() as usize);
            other.items.len().min(share)
        });
        own + others.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_lanes_share_by_weight_and_none_starves() {
        let mut queue = FairQueue::new();
        for lane in Lane::ALL {
            for _ in 0..100 {
                queue.push(lane, lane);
            }
        }
        let mut turns = [0; 5];
        for _ in 0..42 {
            turns[queue.pop().unwrap().index()] += 1;
        }
        assert_eq!(turns, [16, 8, 8, 8, 2]);
    }

    #[test]
    fn an_idle_lane_saves_nothing_up() {
        let mut queue = FairQueue::new();
        for _ in 0..100 {
            queue.push(Lane::Refresh, Lane::Refresh);
            queue.pop().unwrap();
        }
        for _ in 0..20 {
            queue.push(Lane::Refresh, Lane::Refresh);
            queue.push(Lane::Ask, Lane::Ask);
        }
        let first: Vec<_> = (0..19).map(|_| queue.pop().unwrap()).collect();
        assert_eq!(first.iter().filter(|lane| **lane == Lane::Refresh).count(), 2, "{first:?}");
    }

    #[test]
    fn a_lane_is_first_in_first_out() {
        let mut queue = FairQueue::new();
        (0..5).for_each(|number| queue.push(Lane::Look, number));
        assert_eq!(std::iter::from_fn(|| queue.pop()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert!(queue.is_empty());
    }

    #[test]
    fn the_wait_foreseen_counts_only_the_share_of_other_lanes() {
        let mut queue = FairQueue::new();
        assert_eq!(queue.turns_until(Lane::Ask), 1);
        (0..1000).for_each(|number| queue.push(Lane::Refresh, number));
        assert_eq!(queue.turns_until(Lane::Ask), 2);
        assert_eq!(queue.turns_until(Lane::Refresh), 1001);
    }
}
