//! A simulated cloud, software that its vendor or others wrote, and pmks with a connection to that cloud: what one of
//! the two makes the other must see.

use std::process::Command;

use serde_json::Value;

use crate::{CloudUnderTest, Ended, Pmks, Python, SimulatedCloud, skip};

/// What such a suite stands on. The connection is called `sim`.
pub struct Stand {
    /// The world.
    pub world: SimulatedCloud,
    /// The software.
    pub python: Python,
    /// The product.
    pub pmks: Pmks,
}

impl Stand {
    /// Builds it; where the software cannot be had that is said and there is nothing.
    pub async fn new(
        under_test: &'static dyn CloudUnderTest,
        requirements: &str,
        suite: &str,
    ) -> Option<Self> {
        let python = match Python::get(requirements) {
            Ok(python) => python,
            Err(why) => {
                skip(suite, &why);
                return None;
            }
        };
        let world = SimulatedCloud::start(under_test).await;
        let pmks = connected(&world);
        Some(Self { world, python, pmks })
    }

    /// Runs a script that gets the ready file and these arguments, and reads the JSON that it prints.
    pub fn script(&self, script: &str, arguments: &[&str]) -> Value {
        let home = self.pmks.home();
        let mut command = Command::new(self.python.program("python"));
        command
            .arg(script)
            .arg(home.join("ready.json"))
            .args(arguments)
            .env("HOME", home)
            .env("REQUESTS_CA_BUNDLE", home.join("ca.pem"));
        let ended = Ended::of(&command.output().unwrap());
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }
}

/// The product with a connection `sim` to a simulated cloud, whose prerequisites are made.
pub(crate) fn connected(world: &SimulatedCloud) -> Pmks {
    let name = world.cloud.name();
    let pmks = Pmks::new().expect("a temporary folder");
    let write = |file: &str, content: String| std::fs::write(pmks.home().join(file), content).unwrap();
    let ready = world.ready_file();
    let entry: Value = serde_json::from_str(&ready).unwrap();
    let offered = &entry["clouds"][name]["connection"];
    write("credential.json", offered["credential"].to_string());
    write("ready.json", ready);
    if let Some(authority) = world.cloud.authority() {
        write("ca.pem", authority.certificate_pem().to_owned());
    }
    let connection = world.connection("sim");
    let credential = pmks.home().join("credential.json").display().to_string();
    let (pace, all) = (connection.pace.to_string(), format!("all={}", world.url()));
    let mut create = vec!["connection", "create", "sim", "--provider", name];
    create.extend(["--region", &connection.region, "--pace", &pace]);
    create.extend(["--credential-file", &credential, "--endpoint", &all]);
    create.extend(connection.zone.iter().flat_map(|zone| ["--zone", zone]));
    pmks.succeed(&create);
    pmks.succeed(&["connection", "prerequisites", "sim", "--fix", "--yes"]);
    pmks
}

/// A text in JSON that must be there.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {value}"))
}
