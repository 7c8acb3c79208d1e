//! `kubectl`: of the same modules as the real control plane, or as it is found on this machine.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::{Ended, Pmks};

/// How long a watch may take to say something.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct Kubectl {
    program: PathBuf,
}

/// `kubectl get --watch`, ended when dropped.
pub(super) struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Kubectl {
    pub(super) fn of(program: PathBuf) -> Self {
        Self { program }
    }

    /// Runs a command to its end, with the kubeconfig that pmks wrote.
    pub(super) fn run(&self, pmks: &Pmks, arguments: &[&str]) -> Ended {
        Ended::of(&self.command(pmks, arguments).output().expect("kubectl starts"))
    }

    pub(super) fn watch(&self, pmks: &Pmks, arguments: &[&str]) -> Watch {
        let mut command = self.command(pmks, arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("kubectl starts");
        let output = child.stdout.take().expect("its output");
        let (heard, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if heard.send(line).is_err() {
                    return;
                }
            }
        });
        Watch { child, lines }
    }

    fn command(&self, pmks: &Pmks, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(Stdio::null());
        pmks.surround(&mut command);
        command
    }
}

impl Watch {
    /// What it said until a line of which this holds, that line too.
    pub(super) fn until(&self, stop: impl Fn(&str) -> bool) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("after {said:?}"));
            let stops = stop(&line);
            said.push(line);
            if stops {
                return said;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
