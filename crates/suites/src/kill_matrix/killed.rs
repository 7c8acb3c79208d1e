//! The program itself: SIGKILL at a named point of its store or engine, in the middle of an operation, then another
//! start. What the operation comes to is judged as in the rest of the matrix.
//!
//! The default run kills once a scene, at another point in each; `PMKS_LONG=1` at all distinct points.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pmks_core::engine::testing::{KillSwitch, distinct};
use pmks_model::OperationKind;
use pmks_store::{NoKillPoints, Operations as _};
use pmks_transport::{Clock as _, SystemClock};
use serde_json::Value;
use uuid::Uuid;

use super::MakeScene;
use super::house::{House, Moment};
use super::matrix::{Stage, is_long};
use super::truth::Picture;
use crate::simulated_cloud::SPEED;
use crate::{CloudUnderTest, Pmks};

/// `[7; 32]`, the key of the matrix' stores, as the program reads it.
const MASTER_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// How long one life may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often it is asked whether a life is over.
const STEP: Duration = Duration::from_millis(10);

/// The points that may be passed in none of the lives, before, within and after it: at that pace a short operation is never
/// given back between two steps, as longer ones and those of the same process are.
const GIVEN_BACK: &str = "store.release.";

/// The signal of the kill.
const SIGKILL: i32 = 9;

/// How the life of a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// It was killed at its point.
    Killed,
    /// The operation came to its end.
    Done,
}

/// The program is killed at points of the operation's way.
pub(super) async fn killed(under_test: &'static dyn CloudUnderTest, scene: MakeScene) {
    let began = SystemClock.monotonic();
    let house = House::at_pace(under_test, SPEED).await;
    let Some(stage) = Stage::set_to_try_in(house, scene).await else { return };
    let kind = stage.scene.title();
    let quiet = stage.run(&[]).await.unwrap_or_else(|why| panic!("{kind}, undisturbed: {why}"));
    let asked = Asked::new(&stage).await;
    let points = asked.points(&stage).await;
    let all = distinct(&points);
    let place = OperationKind::ALL.iter().position(|one| *one == stage.scene.asks.kind()).unwrap_or_default();
    let first = place * 7 % all.len().max(1);
    let user = User::new();
    let (mut deaths, mut failed) = (0, Vec::new());
    let mut never: BTreeSet<&str> = all.iter().map(|at| points[*at].as_str()).collect();
    let named = never.len();
    for at in all.iter().cycle().skip(first).take(all.len()) {
        if deaths + failed.len() > 0 && !is_long() {
            break;
        }
        let point = &points[*at];
        let time = points.iter().take(*at + 1).filter(|passed| *passed == point).count();
        let at = format!("{point}#{time}");
        match asked.die(&stage, &user, &at, &quiet.picture).await {
            Ok(Life::Killed) => {
                never.remove(point.as_str());
                deaths += 1;
            }
            // How often a cloud is asked whether it is done depends on how busy the machine is.
            Ok(Life::Done) => {}
            Err(why) => failed.push(format!("killed at {at}: {why}\n{}", user.log())),
        }
    }
    println!(
        "{kind}: {} distinct points of {named} names, killed at {deaths}, never at {never:?}, {:.1} s",
        all.len(),
        SystemClock.monotonic().saturating_sub(began).as_secs_f64()
    );
    assert!(failed.is_empty(), "{kind}: {} runs failed:\n{}", failed.len(), failed.join("\n\n"));
    assert!(deaths > 0, "{kind}: it was never killed");
    never.retain(|point| !point.starts_with(GIVEN_BACK));
    assert!(!is_long() || never.is_empty(), "{kind}: it was never killed at {never:?}");
}

/// An operation that is taken on and not begun.
struct Asked {
    moment: Moment,
    operation: Uuid,
}

impl Asked {
    async fn new(stage: &Stage) -> Self {
        let house = &stage.house;
        let path = house.go_back(&stage.moment, "asked");
        house.present();
        let process = house.process(&path, Arc::new(NoKillPoints)).await;
        let operation = stage.scene.ask(house, &process).await.unwrap();
        Self { moment: house.moment(process, path).await, operation }
    }

    /// What an undisturbed process passes from there on.
    async fn points(&self, stage: &Stage) -> Vec<String> {
        let house = &stage.house;
        let path = house.go_back(&self.moment, "points");
        let switch = Arc::new(KillSwitch::new(None));
        let process = house.process(&path, Arc::clone(&switch) as _).await;
        house.drive(&process, self.operation).await.unwrap();
        drop(process.pmks);
        process.store.close().await;
        switch.passed()
    }

    /// Two lives of the program, the first one ended there; then the world and the records are judged.
    async fn die(&self, stage: &Stage, user: &User, point: &str, quiet: &Picture) -> Result<Life, String> {
        let house = &stage.house;
        house.go_back_at(&self.moment, &user.database());
        let flow = house.flow();
        let first = user.live(self.operation, Some(point)).await?;
        if first == Life::Killed && user.live(self.operation, None).await? == Life::Killed {
            return Err("it was killed again".to_owned());
        }
        drop(flow);
        let process = house.process(&user.database(), Arc::new(NoKillPoints)).await;
        let operation = process.store.operation(self.operation).await.unwrap();
        let operation = operation.ok_or("the operation is gone")?;
        let judged = stage.judge(&process, &operation).await.and_then(|picture| picture.differs(quiet));
        drop(process.pmks);
        process.store.close().await;
        judged.map(|()| first)
    }
}

/// Whoever runs the program.
struct User {
    pmks: Pmks,
    client: reqwest::Client,
}

impl User {
    #[expect(clippy::disallowed_methods, reason = "who asks stands outside the program")]
    fn new() -> Self {
        let user = Self { pmks: Pmks::new().unwrap(), client: reqwest::Client::new() };
        // The folder as the program makes it.
        assert!(user.command(&["connection", "list"]).output().unwrap().status.success());
        user
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.pmks.command(arguments);
        command.env("PMKS_MASTER_KEY", MASTER_KEY).env_remove("PMKS_RECORD").stdin(Stdio::null());
        command
    }

    fn folder(&self) -> PathBuf {
        self.pmks.home().join("data/pmks")
    }

    fn database(&self) -> PathBuf {
        self.folder().join("pmks.db")
    }

    /// What the last life said.
    fn log(&self) -> String {
        std::fs::read_to_string(self.pmks.home().join("log")).unwrap_or_default()
    }

    /// One server, until it is killed or the operation is over.
    async fn live(&self, operation: Uuid, die_at: Option<&str>) -> Result<Life, String> {
        let log = std::fs::File::create(self.pmks.home().join("log")).unwrap();
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(die_at.map(|point| ("PMKS_DIE_AT", point))).stdout(Stdio::null()).stderr(log);
        let mut server = Server(command.spawn().unwrap());
        let began = SystemClock.monotonic();
        while SystemClock.monotonic().saturating_sub(began) < PATIENCE {
            tokio::time::sleep(STEP).await;
            if let Some(status) = server.0.try_wait().unwrap() {
                return if die_at.is_some() && status.signal() == Some(SIGKILL) {
                    Ok(Life::Killed)
                } else {
                    Err(format!("the server ended: {status}"))
                };
            }
            if self.is_over(&server, operation).await {
                return Ok(Life::Done);
            }
        }
        Err("the operation does not end".to_owned())
    }

    /// Whether the server says that nothing follows any more.
    async fn is_over(&self, server: &Server, operation: Uuid) -> bool {
        self.operation(server, operation).await.is_some_and(|operation| {
            !["queued", "running"].contains(&operation["state"].as_str().unwrap_or("running"))
        })
    }

    async fn operation(&self, server: &Server, operation: Uuid) -> Option<Value> {
        let read = |name: &str| std::fs::read_to_string(self.folder().join(name)).ok();
        let says: Value = serde_json::from_str(&read("server.json")?).ok()?;
        if says["pid"] != server.0.id() {
            return None;
        }
        let url = format!("{}v1/operations/{operation}", says["url"].as_str()?);
        let answer = self.client.get(url).bearer_auth(read("token")?.trim()).send().await.ok()?;
        serde_json::from_slice(&answer.bytes().await.ok()?).ok()
    }
}

/// A process that ends with this, as by SIGKILL.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
