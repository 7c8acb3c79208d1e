//! The gate beside a program of tests: what its simulated clouds exchange is held against the vendor's contract when each
//! of them ends, and the test that it belongs to fails with what is wrong. It begins with the first cloud, ends with the
//! program, and says then what it saw.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use pmks_simulation::{Exchange, Seen};
use serde_json::{Value, json};

use super::{Contract, SCRIPT};
use crate::{CloudUnderTest, Python, skip};

/// One for each provider; none where no contract is published, or none can be read on this machine.
static JUDGES: Mutex<BTreeMap<&str, Option<Arc<Judge>>>> = Mutex::new(BTreeMap::new());

/// Holds what is exchanged with one provider's clouds against its contract.
#[derive(Debug)]
pub(crate) struct Judge {
    /// What has been judged already, in whichever of the program's clouds it was seen.
    pub(crate) seen: Arc<Seen>,
    gate: Mutex<Gate>,
}

#[derive(Debug)]
struct Gate {
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
    /// Ends with its input, and is then left to say what it saw.
    _process: Child,
}

impl Judge {
    /// The one of a provider, which begins now if it has not.
    pub(crate) fn of(under_test: &dyn CloudUnderTest) -> Option<Arc<Self>> {
        let provider = under_test.provider().capabilities().provider;
        let mut judges = JUDGES.lock().unwrap_or_else(PoisonError::into_inner);
        let judge = judges.entry(provider).or_insert_with(|| Self::begin(provider, under_test.contract()?));
        judge.clone()
    }

    fn begin(provider: &str, contract: Contract) -> Option<Arc<Self>> {
        let python = match Python::get(contract.requirements) {
            Ok(python) => python,
            Err(why) => {
                skip(&format!("the schema gate of {provider}"), &why);
                return None;
            }
        };
        let mut command = Command::new(python.program("python"));
        command.arg("-B").arg(Path::new(SCRIPT)).arg(contract.reader);
        command.args(["--serve", &format!("{provider} {}", suite())]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the gate");
        let asks = process.stdin.take().expect("a pipe");
        let says = BufReader::new(process.stdout.take().expect("a pipe"));
        Some(Arc::new(Self {
            seen: Arc::default(),
            gate: Mutex::new(Gate { asks, says, _process: process }),
        }))
    }

    /// What is wrong with these, of so many; a line each.
    pub(crate) fn judge(&self, exchanges: &[Exchange], count: u64) -> Vec<String> {
        self.judge_written(&json!(exchanges), count)
    }

    /// The same of exchanges as they are written.
    pub(crate) fn judge_written(&self, exchanges: &Value, count: u64) -> Vec<String> {
        // Who failed while it was asked has said so.
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        gate.ask(exchanges, count).unwrap_or_else(|why| vec![format!("the schema gate ended: {why}")])
    }
}

impl Gate {
    fn ask(&mut self, exchanges: &Value, count: u64) -> std::io::Result<Vec<String>> {
        serde_json::to_writer(&mut self.asks, &json!({"exchanges": exchanges, "count": count}))?;
        writeln!(self.asks)?;
        self.asks.flush()?;
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        let says: Value = serde_json::from_str(&line)?;
        let defects = says["defects"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Ok(defects.map(str::to_owned).collect())
    }
}

/// The name of this program of tests: `fault_matrix` of `fault_matrix-0123456789abcdef`.
fn suite() -> String {
    let program = std::env::current_exe().unwrap_or_default();
    let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    name.rsplit_once('-').map_or(name.clone(), |(suite, _)| suite.to_owned())
}
