//! The room for operations that are at work at the same moment, and whose they are: a cloud that is slow, or answers
//! nothing, holds up nobody else.
//!
//! Connections have a fixed number. Accounts share what is free: none begins anything while it has a quarter as many at
//! work as are free, and no more than a quarter of what is free begins at once. So one has a fifth of all at most, ten that
//! are busy have seven tenths among them, and whoever has nothing at work finds room though a dozen wait for clouds that are
//! silent. Source of the rule, for packets that share a switch's memory: Choudhury and Hahne, «Dynamic queue length
//! thresholds for shared-memory packet switches» (1998).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pmks_store::{Claim, Operation};
use uuid::Uuid;

/// An account has at most this part of what is free.
const PART_OF_FREE: u32 = 4;

/// The room, and who is in it.
pub(super) struct Room {
    most: u32,
    each_connection: u32,
    at_work: Mutex<HashMap<Uuid, Whose>>,
}

/// Whose an operation is.
struct Whose {
    connection: String,
    account: String,
}

impl Room {
    pub(super) fn new(most: u32, each_connection: u32) -> Self {
        Self { most, each_connection, at_work: Mutex::default() }
    }

    /// A claim of nobody, at no time, of what more may begin; `None` if there is no room.
    pub(super) fn more(&self) -> Option<Claim> {
        let at_work = self.lock();
        let free = self.most.saturating_sub(u32::try_from(at_work.len()).unwrap_or(u32::MAX));
        let with = |most: u32, whose: fn(&Whose) -> &str| {
            let mut numbers: HashMap<&str, u32> = HashMap::new();
            for one in at_work.values() {
                *numbers.entry(whose(one)).or_default() += 1;
            }
            let full = numbers.into_iter().filter(|(_, number)| *number >= most);
            full.map(|(name, _)| name.to_owned()).collect()
        };
        (free > 0).then(|| Claim {
            limit: free.div_ceil(PART_OF_FREE),
            limit_per_connection: self.each_connection,
            except: with(self.each_connection, |whose| &whose.connection),
            except_accounts: with(free.div_ceil(PART_OF_FREE), |whose| &whose.account),
            // A clock that is set forward ends every claim, and what is at work here would be begun twice.
            under_way: at_work.keys().copied().collect(),
            ..Claim::default()
        })
    }

    pub(super) fn enter(&self, operation: &Operation) {
        let (connection, account) = (operation.resource.connection.clone(), operation.account.clone());
        self.lock().insert(operation.id, Whose { connection, account });
    }

    /// Answers whether nobody is at work any more.
    pub(super) fn leave(&self, operation: Uuid) -> bool {
        let mut at_work = self.lock();
        at_work.remove(&operation);
        at_work.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Whose>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(room: &Room, connection: &str, account: &str) {
        let whose = Whose { connection: connection.to_owned(), account: account.to_owned() };
        room.lock().insert(Uuid::now_v7(), whose);
    }

    /// Takes on all that claims would, where any number waits in each of these accounts, each by a connection of its own.
    fn fill(room: &Room, accounts: &[String]) {
        while let Some(more) = room.more() {
            let waiting: Vec<&String> =
                accounts.iter().filter(|account| !more.except_accounts.contains(account)).collect();
            if waiting.is_empty() {
                return;
            }
            for number in 0..more.limit as usize {
                begin(room, &Uuid::now_v7().to_string(), waiting[number % waiting.len()]);
            }
        }
    }

    fn of(room: &Room, account: &str) -> usize {
        room.lock().values().filter(|whose| whose.account == account).count()
    }

    fn accounts(number: usize) -> Vec<String> {
        (0..number).map(|number| number.to_string()).collect()
    }

    #[test]
    fn whoever_has_nothing_at_work_finds_room_though_many_wait_for_silent_clouds() {
        let room = Room::new(256, 8);
        for silent in accounts(12) {
            fill(&room, std::slice::from_ref(&silent));
            assert!((1..=80).contains(&of(&room, &silent)), "{silent}: {}", of(&room, &silent));
        }
        fill(&room, &["another".to_owned()]);
        assert!(of(&room, "another") >= 1);
    }

    #[test]
    fn ten_that_are_busy_have_most_of_it_and_each_its_share() {
        let room = Room::new(256, 8);
        fill(&room, &accounts(10));
        let shares: Vec<usize> = accounts(10).iter().map(|account| of(&room, account)).collect();
        assert!(shares.iter().all(|share| (16..=26).contains(share)), "{shares:?}");
    }

    #[test]
    fn a_connection_has_its_number_and_no_more() {
        let room = Room::new(256, 8);
        (0..8).for_each(|_| begin(&room, "c", "a"));
        let more = room.more().unwrap();
        assert_eq!((more.except, more.except_accounts), (vec!["c".to_owned()], Vec::new()));
    }
}
