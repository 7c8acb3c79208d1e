//! The whole state of a simulated AWS: accounts, and in each the regions with what every service holds there.
//!
//! Plain data that can be cloned and written as JSON; what is pending is settled when somebody looks.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use pmks_simulation::{Now, Random, Resource};
use serde::{Deserialize, Serialize};

use crate::{auto_scaling, catalogue, ec2, eks, elb, iam};

/// Tags of a resource.
pub(crate) type Tags = BTreeMap<String, String>;

/// An account in a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Twelve digits.
    pub(crate) account: String,
    /// The region's name.
    pub(crate) region: String,
}

/// Everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    /// Where identifiers come from.
    pub(crate) random: Random,
    /// Accounts by id.
    pub(crate) accounts: BTreeMap<String, Account>,
}

/// One account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Users, keys, roles: the same in every region.
    pub(crate) iam: iam::State,
    /// What the services hold, by region.
    pub(crate) regions: BTreeMap<String, Region>,
}

/// What the services hold for one account in one region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Region {
    /// Networks, machines, templates.
    pub(crate) ec2: ec2::State,
    /// Balancers, classic and v2.
    pub(crate) elb: elb::State,
    /// Clusters and node groups.
    pub(crate) eks: eks::State,
    /// Groups of machines.
    pub(crate) auto_scaling: auto_scaling::State,
}

/// What a region in which nothing was made yet looks like.
static EMPTY: LazyLock<Region> = LazyLock::new(Region::default);

impl World {
    /// A world with one account, whose administrator is the user that [`iam`] makes there.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let account = iam::first_account(&mut random);
        let id = random_account_id(&mut random);
        Self { random, accounts: BTreeMap::from([(id, Account { iam: account, ..Account::default() })]) }
    }

    /// What is held at `place`, to read.
    pub(crate) fn region(&self, place: &Place) -> &Region {
        self.accounts
            .get(&place.account)
            .and_then(|account| account.regions.get(&place.region))
            .unwrap_or(&EMPTY)
    }

    /// What is held at `place`, to change.
    pub(crate) fn region_mut(&mut self, place: &Place) -> &mut Region {
        self.account_mut(&place.account).regions.entry(place.region.clone()).or_default()
    }

    /// The account, to change.
    pub(crate) fn account_mut(&mut self, id: &str) -> &mut Account {
        self.accounts.entry(id.to_owned()).or_default()
    }

    /// The IAM of an account, if there is such an account.
    pub(crate) fn iam(&self, account: &str) -> Option<&iam::State> {
        self.accounts.get(account).map(|account| &account.iam)
    }

    /// An identifier as EC2 writes it: `prefix-0` and sixteen hexadecimal digits.
    pub(crate) fn new_id(&mut self, prefix: &str) -> String {
        format!("{prefix}-0{}", self.random.hex(16))
    }

    /// Every place where something may exist.
    pub(crate) fn places(&self) -> Vec<Place> {
        let of_account = |(account, held): (&String, &Account)| {
            let account = account.clone();
            let regions: Vec<String> = held.regions.keys().cloned().collect();
            regions.into_iter().map(move |region| Place { account: account.clone(), region })
        };
        self.accounts.iter().flat_map(of_account).collect()
    }

    /// Ground truth.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let mut rows = Vec::new();
        for (id, account) in &self.accounts {
            rows.extend(iam::resources(id, &account.iam));
        }
        for place in self.places() {
            let region = self.region(&place);
            let of_services = [
                ec2::resources(&region.ec2),
                elb::resources(&region.elb),
                eks::resources(&region.eks),
                auto_scaling::resources(&region.auto_scaling),
            ];
            let at = |row: Resource| row.with("account", &*place.account).with("region", &*place.region);
            rows.extend(of_services.into_iter().flatten().map(at));
        }
        rows
    }
}

impl pmks_simulation::World for World {
    const SNAPSHOT_VERSION: u32 = 1;

    fn settle_at(&mut self, now: Now) {
        for place in self.places() {
            eks::settle(self, &place, now);
            auto_scaling::settle(self, &place, now);
            elb::settle(self, &place, now);
            ec2::settle(self, &place, now);
        }
    }

    fn next_due(&self) -> Option<Duration> {
        let of_region = |region: &Region| {
            let dues = [
                eks::next_due(&region.eks),
                auto_scaling::next_due(&region.auto_scaling),
                elb::next_due(&region.elb),
                ec2::next_due(&region.ec2),
            ];
            dues.into_iter().flatten().min()
        };
        self.accounts.values().flat_map(|account| account.regions.values()).filter_map(of_region).min()
    }
}

/// Twelve digits that do not begin with 0, which tools like to drop.
pub(crate) fn random_account_id(random: &mut Random) -> String {
    format!("{}{}", 1 + random.below(9), random.digits(11))
}

/// Whether a region of this name exists.
pub(crate) fn is_region(name: &str) -> bool {
    catalogue::region(name).is_some()
}
