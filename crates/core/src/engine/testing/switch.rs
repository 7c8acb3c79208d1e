//! Kill points that end everything at the nth passing, and write down which points there are.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use pmks_store::KillPoints;
use tokio::sync::watch;

/// Ends everything at one passing: whoever reaches a point from then on never returns.
#[derive(Debug)]
pub struct KillSwitch {
    kill_at: Option<usize>,
    passed: Mutex<Vec<String>>,
    dead: watch::Sender<bool>,
}

impl KillSwitch {
    /// Ends everything at the passing of that number, counted from 0; `None`: never.
    pub fn new(kill_at: Option<usize>) -> Self {
        Self { kill_at, passed: Mutex::default(), dead: watch::Sender::new(false) }
    }

    /// The points passed so far, in order.
    pub fn passed(&self) -> Vec<String> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until everything has ended.
    pub async fn died(&self) {
        // The sender lives as long as `self`, so waiting ends only by death.
        let _ = self.dead.subscribe().wait_for(|dead| *dead).await;
    }
}

#[async_trait]
impl KillPoints for KillSwitch {
    async fn at(&self, point: &str) {
        if !*self.dead.borrow() {
            let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
            passed.push(point.to_owned());
            if self.kill_at != Some(passed.len() - 1) {
                return;
            }
            self.dead.send_replace(true);
        }
        std::future::pending::<()>().await;
    }
}
