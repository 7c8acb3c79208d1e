//! Everything that a case works with.

use std::sync::Arc;

use async_trait::async_trait;
use pmks_driver::Driver;
use pmks_model::ResourceKind;
use pmks_transport::{Clock, Faults, MemoryRecorder};

use crate::{CallLog, Journal};

/// A driver at an endpoint, with a witness of what really exists there.
#[derive(Clone)]
pub struct Rig {
    /// The driver under test.
    pub driver: Arc<dyn Driver>,
    /// The same driver with a credential that the cloud does not accept; the driver itself where there is none
    /// ([`Witness::without_stranger`]).
    pub stranger: Arc<dyn Driver>,
    /// Who knows what really exists.
    pub witness: Arc<dyn Witness>,
    /// The fault layer of the transport that both drivers use.
    pub faults: Arc<Faults>,
    /// What was sent: an observer of the same transport.
    pub calls: CallLog,
    /// The recorder of the same transport.
    pub recorder: Arc<MemoryRecorder>,
    /// Every secret that the drivers were given.
    pub secrets: Vec<String>,
    /// The transport's clock.
    pub clock: Arc<dyn Clock>,
    /// How many times faster than the real cloud this one works.
    pub pace: u32,
}

/// Something that exists at the cloud.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thing {
    /// What it is, in the cloud's word.
    pub kind: String,
    /// The cloud's identifier.
    pub id: String,
    /// Its name, if it has one.
    pub name: String,
}

/// What no driver would bring about, and a witness perhaps can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// [`Witness::without_prerequisites`].
    TakePrerequisites,
    /// [`Witness::multiply`].
    Multiply,
    /// [`Witness::fail_next`].
    FailNext(ResourceKind),
    /// [`Witness::say_status`].
    SayStatus,
    /// [`Witness::add_unknown`].
    AddUnknown,
    /// [`Witness::move_credential`].
    MoveCredential,
    /// [`Witness::end_tokens`].
    EndTokens,
    /// [`Witness::make_volume`].
    MakeVolume,
}

impl std::fmt::Display for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TakePrerequisites => "take prerequisites away",
            Self::Multiply => "make many clusters",
            Self::FailNext(_) => "let a creation fail",
            Self::SayStatus => "let the cloud say what it never said",
            Self::AddUnknown => "put anything into what the cloud keeps",
            Self::MoveCredential => "move a credential to another account",
            Self::EndTokens => "end the tokens that the cloud gave out",
            Self::MakeVolume => "make a volume of a workload",
        })
    }
}

/// Who knows what really exists, and can bring about what no driver would.
///
/// What a witness cannot do is its default. A case asks before it makes anything, and is skipped with that reason.
#[async_trait]
pub trait Witness: Send + Sync {
    /// Everything that exists in the account and region, but for its prerequisites: those stay once they are made.
    async fn things(&self) -> Vec<Thing>;

    /// Whether it can bring that about; else why not.
    fn can(&self, deed: Deed) -> Result<(), String> {
        Err(format!("this witness cannot {deed}"))
    }

    /// Takes the account's prerequisites away, or answers why it cannot.
    async fn without_prerequisites(&self) -> Result<(), String> {
        self.can(Deed::TakePrerequisites)
    }

    /// Makes so many more clusters like this one, and so many more node groups in it like its first one, all ready at
    /// once; or answers why it cannot.
    async fn multiply(&self, _cluster: &str, _clusters: usize, _node_groups: usize) -> Result<(), String> {
        self.can(Deed::Multiply)
    }

    /// Lets the next cluster, or the next node group, that is asked for end as failed at the cloud; or answers why it
    /// cannot.
    async fn fail_next(&self, kind: ResourceKind) -> Result<(), String> {
        self.can(Deed::FailNext(kind))
    }

    /// Lets the cloud say the status of a cluster in a word that none of its documents knows, or in its own words
    /// again; or answers why it cannot.
    async fn say_status(&self, _cluster: &str, _word: Option<&str>) -> Result<(), String> {
        self.can(Deed::SayStatus)
    }

    /// Puts something that no document knows into what the cloud keeps of a cluster and of its node groups, or answers
    /// why it cannot.
    async fn add_unknown(&self, _cluster: &str) -> Result<(), String> {
        self.can(Deed::AddUnknown)
    }

    /// Whether all that is still there. Only called after [`Witness::add_unknown`].
    async fn keeps_unknown(&self, _cluster: &str) -> Result<bool, String> {
        Ok(false)
    }

    /// Lets the driver's credential act in another account from now on, or, the second time, in its own again; or
    /// answers why it cannot.
    async fn move_credential(&self) -> Result<(), String> {
        self.can(Deed::MoveCredential)
    }

    /// Lets the cloud refuse, as ended, every access token that it has given out so far, or answers why it cannot.
    async fn end_tokens(&self) -> Result<(), String> {
        self.can(Deed::EndTokens)
    }

    /// Makes a volume as a workload of the cluster would ask for it, and answers the cloud's identifier of it; or why
    /// it cannot.
    async fn make_volume(&self, _cluster: &str) -> Result<String, String> {
        Err(format!("this witness cannot {}", Deed::MakeVolume))
    }

    /// Where what is asked for is written down before it is asked for. `None`: nowhere, since the world vanishes with
    /// the test.
    fn journal(&self) -> Option<&Journal> {
        None
    }

    /// Why the rig's stranger is none: no wrong credential could be made of the given one.
    fn without_stranger(&self) -> Option<String> {
        None
    }

    /// Takes away what [`Witness::multiply`] made.
    async fn divide(&self, _cluster: &str) -> Result<(), String> {
        Ok(())
    }
}
