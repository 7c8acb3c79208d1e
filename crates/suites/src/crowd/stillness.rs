//! Whether this process does nothing at all: every thread of it sleeps, and none has run since it was last looked.
//!
//! What the kernel says of threads, not how long nothing was heard: a busy machine is not taken for an idle process.

use std::path::Path;

/// Whether all threads but the one that asks sleep. `None` where the system does not tell.
pub(super) fn is_still() -> Option<bool> {
    // Asleep at the first look and not run until the second: all of them slept between the two.
    let first = look()?;
    Some(first.asleep && look()? == first)
}

/// What one look saw.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    asleep: bool,
    /// How often each thread has begun and ended to run.
    switches: Vec<(String, u64)>,
}

fn look() -> Option<Seen> {
    let own = std::fs::read_link("/proc/thread-self").ok()?;
    let own = own.file_name()?.to_owned();
    let mut seen = Seen { asleep: true, switches: Vec::new() };
    for entry in std::fs::read_dir("/proc/self/task").ok()? {
        let entry = entry.ok()?;
        if entry.file_name() == own {
            continue;
        }
        // One that has ended meanwhile shows in the other look.
        let Some((asleep, switches)) = of_thread(&entry.path()) else { continue };
        seen.asleep &= asleep;
        seen.switches.push((entry.file_name().to_string_lossy().into_owned(), switches));
    }
    Some(seen)
}

fn of_thread(folder: &Path) -> Option<(bool, u64)> {
    let status = std::fs::read_to_string(folder.join("status")).ok()?;
    let of = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let number = |key: &str| of(key)?.parse::<u64>().ok();
    let switches = number("voluntary_ctxt_switches:")? + number("nonvoluntary_ctxt_switches:")?;
    Some((of("State:")?.starts_with('S'), switches))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    static DONE: AtomicBool = AtomicBool::new(false);

    #[test]
    fn a_thread_that_runs_is_seen() {
        if is_still().is_none() {
            return;
        }
        let busy = std::thread::spawn(|| {
            while !DONE.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        let running = (0..100).filter(|_| is_still() == Some(false)).count();
        DONE.store(true, Ordering::Relaxed);
        busy.join().unwrap();
        assert_eq!(running, 100);
    }
}
