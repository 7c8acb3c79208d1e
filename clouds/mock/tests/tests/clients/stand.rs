//! A server that serves `/spider`.

use std::process::{Command, Output};

use pmks_suites::{Pmks, Served};

/// The user that it is started with.
pub(crate) const USER: (&str, &str) = ("default", "hunter3");

/// A server on a data directory of its own.
pub(crate) struct Stand {
    pub(crate) pmks: Pmks,
    pub(crate) served: Served,
}

impl Stand {
    pub(crate) fn new() -> Self {
        let pmks = Pmks::new().unwrap();
        let served = Served::start(&pmks, &[("SPIDER_USERNAME", USER.0), ("SPIDER_PASSWORD", USER.1)]);
        Self { pmks, served }
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("{}/spider", self.served.url)
    }
}

/// What a program printed, which must succeed.
#[track_caller]
pub(crate) fn printed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?} → {status}\n{out}\n{err}");
    out.into_owned()
}
