//! What something is called at the cloud where that is not what its user calls it.
//!
//! A unique name is drawn once, when its request is taken on, and kept with the record and the change: whatever becomes
//! of the process, the cloud is asked for the same one. Drivers hear it as the name of what they make; to everything
//! else here, and to users, a thing has its own name.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use pmks_driver::Capabilities;
use pmks_model::{Findings, ResourceKind, UniqueName, refusal_of_ours};
use pmks_store::Resource;

use crate::Result;
use crate::failure::unexpected;

/// How often a name is drawn that is another one's already.
const MOST_DRAWS: u32 = 100;

/// Gives names to what one request makes.
pub(crate) struct CloudNames<'a> {
    capabilities: &'a Capabilities,
    /// Whether what says nothing of it has a unique one.
    usually: bool,
    /// What is called so already: short suffixes may meet.
    taken: Vec<String>,
}

impl<'a> CloudNames<'a> {
    pub(crate) fn new(capabilities: &'a Capabilities, usually: bool) -> Self {
        Self { capabilities, usually, taken: Vec::new() }
    }

    /// What is not to be said for anything else.
    pub(crate) fn beside(mut self, taken: impl IntoIterator<Item = String>) -> Self {
        self.taken.extend(taken);
        self
    }

    /// A unique name at the cloud; `None`: it has its own name there. The cloud judges the unique one alone, so that the
    /// name that was asked for is judged here.
    ///
    /// # Errors
    /// `Unexpected` where there are no random numbers.
    pub(crate) fn draw(
        &mut self,
        kind: ResourceKind,
        wish: Option<bool>,
        asked: &str,
        field: &str,
        findings: &mut Findings,
    ) -> Result<Option<String>> {
        let Some((_, form)) = self.capabilities.names(kind).filter(|_| wish.unwrap_or(self.usually)) else {
            return Ok(None);
        };
        findings.add_some(field, refusal_of_ours(asked));
        for _ in 0..MOST_DRAWS {
            let name = form.make(asked, &chance()?);
            if !self.taken.contains(&name) {
                self.taken.push(name.clone());
                return Ok(Some(name));
            }
        }
        Err(unexpected(format!("no name for {} {asked:?} was free", kind.says())))
    }
}

fn chance() -> Result<[u8; UniqueName::SUFFIX]> {
    let mut chance = [0; UniqueName::SUFFIX];
    let drawn = SystemRandom::new().fill(&mut chance);
    drawn.map_err(|_| unexpected("a unique name could not be made: no random numbers"))?;
    Ok(chance)
}

/// What the cloud calls something, where it says so and it is another name than ours.
pub(crate) fn other_name(called: &str, ours: &str) -> Option<String> {
    (!called.is_empty() && called != ours).then(|| called.to_owned())
}

/// Whether a record's name at the cloud was drawn here.
pub(crate) fn is_unique(record: &Resource) -> bool {
    record.cloud_name.is_some() && !record.imported
}

/// What is asked for twice under one name, where the cloud would see two.
pub(crate) fn distinct<'n>(
    names: impl Iterator<Item = &'n str>,
    field: impl Fn(usize) -> String,
    findings: &mut Findings,
) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, name) in names.enumerate().filter(|(_, name)| !name.is_empty()) {
        if !seen.insert(name) {
            findings.add(field(index), format!("{name:?} is given twice"));
        }
    }
}
