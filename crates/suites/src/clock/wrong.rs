//! The clock of one process, which is set while it runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::now;

const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 24 * HOUR;

/// How far it is off, one after the other.
const OFF: [i64; 10] = [YEAR, 0, -YEAR, YEAR, -YEAR, HOUR, -HOUR, HOUR, -HOUR, 0];

/// How long it stays so.
const STAYS: Duration = Duration::from_millis(300);

/// The least time between two settings that tells them apart.
pub(super) const NEAR: SignedDuration = SignedDuration::from_mins(10);

pub(super) struct WrongClock {
    library: PathBuf,
    says: PathBuf,
    seen_off: AtomicBool,
}

/// A clock that is being set.
pub(super) struct Stepping {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<usize>,
}

impl WrongClock {
    /// One that stands right.
    pub(super) fn new(home: &Path, library: &Path) -> Self {
        let clock =
            Self { library: library.to_owned(), says: home.join("clock"), seen_off: AtomicBool::new(false) };
        set(&clock.says, 0);
        clock
    }

    /// What a process must be started with.
    pub(super) fn variables(&self) -> [(&'static str, &str); 5] {
        [
            ("LD_PRELOAD", self.library.to_str().unwrap()),
            ("FAKETIME_TIMESTAMP_FILE", self.says.to_str().unwrap()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ]
    }

    /// Sets it again and again, until told to rest.
    pub(super) fn steps(&self) -> Stepping {
        let (stop, says) = (Arc::new(AtomicBool::new(false)), self.says.clone());
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for (index, off) in OFF.iter().cycle().enumerate() {
                if stopped.load(Ordering::Relaxed) {
                    set(&says, 0);
                    return index;
                }
                set(&says, *off);
                std::thread::sleep(STAYS);
            }
            0
        });
        Stepping { stop, thread }
    }

    /// Every time in what an API answered is one that this clock has shown.
    pub(super) fn has_shown(&self, answer: &Value) {
        let times =
            answer.as_object().into_iter().flatten().chain(
                answer["stages"].as_array().into_iter().flatten().filter_map(Value::as_object).flatten(),
            );
        for (name, value) in times.filter(|(name, _)| name.ends_with("At")) {
            let Some(at) = value.as_str() else { continue };
            let at: Timestamp = at.parse().unwrap();
            let off = OFF.iter().find(|off| {
                let right = at.saturating_sub(SignedDuration::from_secs(**off)).unwrap();
                right.duration_since(now()).abs() < NEAR
            });
            let off = off.unwrap_or_else(|| panic!("{name} is {at} in {answer:#}"));
            if *off != 0 {
                self.seen_off.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Whether the process has read it while it stood wrong.
    pub(super) fn was_believed(&self) -> bool {
        self.seen_off.load(Ordering::Relaxed)
    }
}

impl Stepping {
    /// Sets it right; answers how often it was set.
    pub(super) fn rest(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// Whole, so that nobody reads a half of it.
fn set(says: &Path, off: i64) {
    let next = says.with_extension("next");
    std::fs::write(&next, format!("{off:+}\n")).unwrap();
    std::fs::rename(next, says).unwrap();
}
