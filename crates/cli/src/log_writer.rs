//! Where the log is written: by a thread of its own, so that nobody waits for whoever reads it. Lines for which there is
//! no room any more are lost, and counted.

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// How many lines may wait to be written.
const ROOM: usize = 4096;

/// How long the end of the process waits for lines that are not written yet.
const LAST_LINES: Duration = Duration::from_secs(1);

/// What the thread is told.
enum Message {
    Line(Box<[u8]>),
    /// All lines before are written.
    Reached(SyncSender<()>),
}

/// Takes lines, each by one write. Clones write to the same place.
#[derive(Clone)]
pub(crate) struct LogWriter(SyncSender<Message>);

impl LogWriter {
    /// Begins to write to `to`.
    ///
    /// # Errors
    /// Where no thread can be had.
    pub(crate) fn begin(to: impl Write + Send + 'static) -> std::io::Result<(Self, LastLines)> {
        let (lines, waiting) = sync_channel(ROOM);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write(to, &waiting))?;
        Ok((Self(lines.clone()), LastLines(lines)))
    }
}

/// Writes until nobody can say anything any more.
fn write(mut to: impl Write, waiting: &Receiver<Message>) {
    while let Ok(message) = waiting.recv() {
        match message {
            // What cannot be written, as on a full disk, is no reason to end.
            Message::Line(line) => drop(to.write_all(&line)),
            Message::Reached(tell) => drop(tell.try_send(())),
        }
    }
}

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        match self.0.try_send(Message::Line(line.into())) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                pmks_server::log_line_lost();
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Dropped, it waits until what was said is written; not for ever.
pub(crate) struct LastLines(SyncSender<Message>);

impl Drop for LastLines {
    fn drop(&mut self) {
        let (tell, reached) = sync_channel(1);
        // Where there is no room, whoever reads the log is not there.
        if self.0.try_send(Message::Reached(tell)).is_ok() {
            let _ = reached.recv_timeout(LAST_LINES);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    /// Writes nothing while somebody holds it.
    #[derive(Clone, Default)]
    struct Held(Arc<Mutex<Vec<u8>>>);

    impl Write for Held {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_log_that_nobody_reads() {
        let held = Held::default();
        let stalled = held.0.lock().unwrap();
        let (mut log, last) = LogWriter::begin(held.clone()).unwrap();
        for _ in 0..ROOM + 10 {
            log.write_all(b"line\n").unwrap();
        }
        drop(last);
        drop(stalled);
    }

    #[test]
    fn what_was_said_before_the_end_is_written_in_its_order() {
        let held = Held::default();
        let (mut log, last) = LogWriter::begin(held.clone()).unwrap();
        for number in 0..1000 {
            writeln!(log, "{number}").unwrap();
        }
        drop(last);
        let written = String::from_utf8(held.0.lock().unwrap().clone()).unwrap();
        let numbers = written.lines().map(|line| line.parse::<usize>().unwrap());
        assert!(numbers.eq(0..1000), "{written}");
    }
}
