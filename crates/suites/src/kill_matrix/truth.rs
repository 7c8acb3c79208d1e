//! The judgement: what the world holds in the end, by count and by look, and whether our records say the same.

use std::collections::{BTreeMap, BTreeSet};

use pmks_driver::{Marks, Prerequisite, PrerequisiteState};
use pmks_model::{OperationKind, OperationState, ResourceKind};
use pmks_simulation::Resource;
use pmks_simulation::others::CHANGED;
use pmks_store::{Operation, Page, ResourceFilter, Resources as _};
use serde_json::Value;
use uuid::Uuid;

use super::house::{HERE, House, Process};
use super::offer::is_of_minor;
use super::scene::{Change, Says, Scene};

/// What is compared of a resource beside its kind, name, state and tags. Identifiers and addresses come out of a hat.
const COMPARED: &[&str] = &[
    "attachedPolicies",
    "cidr",
    "count",
    "deletionProtection",
    "desired",
    "ipCidrRange",
    "machineType",
    "max",
    "min",
    "policies",
    "releaseVersion",
    "role",
    "rules",
    "size",
    "targetSize",
    "type",
    "version",
    "zone",
];

/// What pmks keeps records of at a cloud.
pub(crate) const RECORDED: [ResourceKind; 6] = [
    ResourceKind::Cluster,
    ResourceKind::NodeGroup,
    ResourceKind::Network,
    ResourceKind::Subnet,
    ResourceKind::SecurityGroup,
    ResourceKind::KeyPair,
];

/// A world, as far as two runs of one operation must leave the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture(BTreeMap<String, usize>);

/// So many letters of what was drawn for a name nothing has by chance.
const RECOGNIZED: usize = 6;

/// How many there are of each kind.
pub(crate) type Counts = BTreeMap<String, i64>;

/// How many there are of each kind now.
pub(crate) fn counts(house: &House) -> Counts {
    let mut counts = Counts::new();
    for row in house.cloud.resources() {
        *counts.entry(row.kind).or_default() += 1;
    }
    counts
}

/// The world as the operation left it. What somebody else changed beside it is judged apart.
pub(crate) async fn picture(house: &House, process: &Process, operation: Uuid) -> Picture {
    let records = process.store.resources(&ResourceFilter::default(), Page::all()).await.unwrap();
    // What was drawn for a name is another text in every run.
    let drawn: Vec<_> =
        records.iter().filter_map(|one| Some((one.cloud_name.as_deref()?, &one.name))).collect();
    let own =
        |text: &str| drawn.iter().fold(text.to_owned(), |text, (called, name)| without(&text, called, name));
    let mut rows = BTreeMap::new();
    for row in house.cloud.resources() {
        let tags: BTreeMap<_, _> = row
            .tags
            .iter()
            .filter(|(key, _)| *key != CHANGED.0)
            .map(|(key, value)| (masked(&own(key)), tag(key, &own(value), operation)))
            .collect();
        let seen: BTreeMap<_, _> = COMPARED
            .iter()
            .filter_map(|key| row.attributes.get(*key).map(|value| (*key, value.to_string())))
            .collect();
        let is_random = house.under_test.random_names().contains(&row.kind.as_str());
        let name = row.name.as_deref().filter(|_| !is_random).map(|name| known_of(&own(name)));
        let name = name.unwrap_or_default();
        *rows.entry(format!("{} {name:?} {} {tags:?} {seen:?}", row.kind, row.state)).or_default() += 1;
    }
    Picture(rows)
}

impl Picture {
    /// What differs from the world that an undisturbed run leaves.
    pub(crate) fn differs(&self, quiet: &Self) -> Result<(), String> {
        let all: BTreeSet<&String> = self.0.keys().chain(quiet.0.keys()).collect();
        let count = |picture: &Self, row: &str| picture.0.get(row).copied().unwrap_or_default();
        let lines: Vec<String> = all
            .into_iter()
            .filter(|row| count(self, row) != count(quiet, row))
            .map(|row| format!("  {} instead of {}: {row}", count(self, row), count(quiet, row)))
            .collect();
        if lines.is_empty() { Ok(()) } else { Err(format!("the world differs:\n{}", lines.join("\n"))) }
    }
}

/// Whether the operation succeeded, the world changed by what the scene says, and our records agree with it.
pub(crate) async fn judge(
    house: &House,
    process: &Process,
    scene: &Scene,
    base: &Counts,
    operation: &Operation,
) -> Result<(), String> {
    if operation.state != OperationState::Succeeded {
        return Err(format!("it ended as {}: {operation:#?}", operation.state));
    }
    differs(house, scene, base)?;
    for (kind, what, wanted) in &scene.says {
        let says = |row: &Resource| {
            row.tags.get(*what).map(|tag| Value::from(tag.clone())).or(row.attributes.get(*what).cloned())
        };
        let is_it = |said: &Value| match wanted {
            Says::Value(wanted) => said == wanted,
            Says::Minor(minor) => said.as_str().is_some_and(|said| is_of_minor(said, minor)),
        };
        let rows = house.cloud.resources();
        if !rows.iter().any(|row| row.kind == *kind && says(row).as_ref().is_some_and(is_it)) {
            return Err(format!("no {kind} says {what} {wanted:?}"));
        }
    }
    if operation.kind == OperationKind::PrerequisiteFix {
        prerequisites(house, process).await?;
    }
    if scene.unique_names {
        unique_names(process).await?;
    }
    records(house, process, scene).await
}

/// What was made has another name at the cloud, by which the cloud knows it.
async fn unique_names(process: &Process) -> Result<(), String> {
    for record in process.store.resources(&ResourceFilter::default(), Page::all()).await.unwrap() {
        let seen = record.observation.as_ref().and_then(|seen| seen.value.pointer("/iid/nameId")?.as_str());
        if record.cloud_name.is_none() || seen != record.cloud_name.as_deref() {
            return Err(format!("the cloud calls it {seen:?}: {record:#?}"));
        }
    }
    Ok(())
}

/// Whether the world changed by what the scene says.
fn differs(house: &House, scene: &Scene, base: &Counts) -> Result<(), String> {
    let now = counts(house);
    let of = |counts: &Counts, kind: &str| counts.get(kind).copied().unwrap_or_default();
    let kinds: BTreeSet<&str> = base.keys().chain(now.keys()).map(String::as_str).collect();
    let mut more: BTreeMap<&str, i64> = kinds
        .into_iter()
        .map(|kind| (kind, of(&now, kind) - of(base, kind)))
        .filter(|(_, more)| *more != 0)
        .collect();
    let wanted: BTreeMap<&str, i64> = match &scene.change {
        Change::Exactly(table) => table.iter().copied().collect(),
        Change::AtLeast(table) => {
            more.retain(|kind, _| table.iter().any(|(counted, _)| counted == kind));
            table.iter().copied().filter(|(_, more)| *more != 0).collect()
        }
        Change::Undone => BTreeMap::new(),
    };
    if more == wanted {
        return Ok(());
    }
    let rows = house.cloud.resources().into_iter();
    let rows: Vec<String> = rows.map(|row| format!("  {} {:?} {}", row.kind, row.name, row.id)).collect();
    Err(format!("more: {more:?}, instead of {wanted:?}, in:\n{}", rows.join("\n")))
}

/// Nothing that the account must have lacks.
async fn prerequisites(house: &House, process: &Process) -> Result<(), String> {
    let connections = process.pmks.connections();
    let view = house.run(connections.prerequisites(HERE, None)).await.map_err(|why| why.to_string())?;
    let missing = |one: &&Prerequisite| matches!(one.state, PrerequisiteState::Missing { .. });
    match view.prerequisites.iter().find(missing) {
        Some(missing) => Err(format!("still missing: {missing:?}")),
        None => Ok(()),
    }
}

/// Every record stands for one thing that carries its mark, and every thing with a mark has its record.
async fn records(house: &House, process: &Process, scene: &Scene) -> Result<(), String> {
    let [.., uid] = Marks::KEYS;
    let records = process.store.resources(&ResourceFilter::default(), Page::all()).await.unwrap();
    let rows = house.cloud.resources();
    for kind in RECORDED {
        let Some(word) = house.under_test.word(kind) else { continue };
        let carries_marks = !house.under_test.unmarked().contains(&kind);
        let records = || records.iter().filter(move |record| record.kind == kind);
        let rows = || rows.iter().filter(move |row| row.kind == word);
        for record in records() {
            let Some(system_id) = record.system_id.as_deref() else {
                return Err(format!("{word} {:?} has no identifier", record.name));
            };
            let found: Vec<_> =
                rows().filter(|row| is_called(&house.under_test.id(row), row, system_id)).collect();
            let [row] = found.as_slice() else {
                return Err(format!("{} {word} stand for the record {record:#?}", found.len()));
            };
            let marked = row.tags.get(uid).and_then(|mark| Uuid::parse_str(mark).ok());
            // Node groups that are made with their cluster carry its mark.
            let is_ours = marked.is_some() && (marked == Some(record.uid) || marked == record.parent);
            if carries_marks && !record.imported && !is_ours {
                return Err(format!("{word} {:?} is not marked as its record: {row:#?}", record.name));
            }
            if record.missing_since.is_some() || record.observation.is_none() {
                return Err(format!("{word} {:?} is not observed: {record:#?}", record.name));
            }
        }
    }
    accounted_for(house, process, scene).await
}

/// Nothing carries a mark without its record, and nothing is there twice. What was forgotten, to be imported, carries that of
/// its first record.
pub(crate) async fn accounted_for(house: &House, process: &Process, scene: &Scene) -> Result<(), String> {
    if scene.asks.kind() == OperationKind::ClusterImport {
        return Ok(());
    }
    let [.., uid] = Marks::KEYS;
    let records = process.store.resources(&ResourceFilter::default(), Page::all()).await.unwrap();
    for kind in RECORDED {
        let Some(word) = house.under_test.word(kind) else { continue };
        let known = || records.iter().filter(move |record| record.kind == kind);
        let mark = |row: &Resource| row.tags.get(uid).and_then(|mark| Uuid::parse_str(mark).ok());
        let rows = house.cloud.resources();
        let marked: Vec<_> =
            rows.iter().filter(|row| row.kind == word).filter_map(|row| Some((mark(row)?, row))).collect();
        let mut seen = BTreeSet::new();
        for (mark, row) in &marked {
            // Node groups that are made with their cluster carry its mark.
            let of_parent = known().any(|record| record.parent == Some(*mark));
            let is_known = records.iter().any(|record| record.uid == *mark);
            if !is_known || (!of_parent && !seen.insert(*mark)) {
                return Err(format!("an orphan or a second one: {row:#?}"));
            }
        }
        let imports = known().any(|record| record.imported);
        if !imports && marked.len() > known().count() {
            return Err(format!("{} records and {} things: {marked:#?}", known().count(), marked.len()));
        }
    }
    Ok(())
}

/// Whether an identifier is a row's, which the driver calls `id`: whole, or by its last part as that or the row's name.
pub(crate) fn is_called(id: &str, row: &Resource, system_id: &str) -> bool {
    let last = system_id.rsplit('/').next().unwrap_or(system_id);
    let is = |text: &str| text.eq_ignore_ascii_case(system_id) || text.eq_ignore_ascii_case(last);
    is(id) || row.name.as_deref().is_some_and(is)
}

/// A text that says `name` where it said `called`, whole or cut short: clouds name what belongs to a thing by as much of
/// its name as there is room for.
fn without(text: &str, called: &str, name: &str) -> String {
    let least = called.len().min(name.len() + RECOGNIZED);
    let cuts = (least..=called.len()).rev().filter_map(|end| called.get(..end));
    cuts.fold(text.to_owned(), |text, cut| text.replace(cut, name))
}

/// A tag's value, the same in every run: the marks of this operation by name, what is random masked.
fn tag(key: &str, value: &str, operation: Uuid) -> String {
    match Uuid::parse_str(value) {
        Ok(id) if id == operation => "OPERATION".to_owned(),
        _ if Marks::KEYS.contains(&key) => "MARK".to_owned(),
        _ => masked(value),
    }
}

/// A name without what is random in it. Names that pmks derives end in eight base32 characters of the record's id.
fn known_of(name: &str) -> String {
    let is_base32 = |text: &str| text.bytes().all(|c| c.is_ascii_lowercase() || (b'2'..=b'7').contains(&c));
    match name.rsplit_once('-') {
        Some((known, random)) if random.len() == 8 && is_base32(random) => format!("{known}-#"),
        _ => masked(name),
    }
}

/// A text without what is random in it: UUIDs, and words of eight and more letters and digits with a digit in them.
fn masked(text: &str) -> String {
    let mut rest = text;
    let mut known = String::new();
    while let Some(letter) = rest.chars().next() {
        let is_uuid = rest.get(..36).is_some_and(|start| Uuid::parse_str(start).is_ok());
        let word = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let length = if is_uuid { 36 } else { word.max(letter.len_utf8()) };
        let (next, after) = rest.split_at(length);
        let is_random = is_uuid || (word >= 8 && next.contains(|c: char| c.is_ascii_digit()));
        known.push_str(if is_random { "#" } else { next });
        rest = after;
    }
    known
}
