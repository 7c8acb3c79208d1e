//! A server that others wrote, on a port of its own.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often another port is tried: between the choice of one and its use somebody else may take it.
const TRIES: u32 = 5;

/// How long one may take to answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// The running server; it ends with this.
#[derive(Debug)]
pub struct Stranger {
    process: Child,
    port: u16,
}

impl Stranger {
    /// Starts what the port makes a command of, and waits until it listens there.
    ///
    /// # Panics
    /// If it does not.
    pub fn start(command: impl Fn(u16) -> Command) -> Self {
        (0..TRIES)
            .find_map(|_| Self::try_start(&command))
            .expect("a server that others wrote does not answer")
    }

    fn try_start(command: impl Fn(u16) -> Command) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = command(port).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut started = Self { process, port };
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(100));
            let answers = started.answers();
            if started.process.try_wait().unwrap().is_some() {
                return None;
            }
            if answers {
                return Some(started);
            }
        }
        None
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A connection to a port on which nobody listens may be one to itself, and keeps the server from it.
    fn answers(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port))
            .is_ok_and(|stream| stream.local_addr().is_ok_and(|own| own.port() != self.port))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // One that has ended by itself is gone as well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
