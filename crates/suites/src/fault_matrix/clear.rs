//! What an operation that did not succeed must say: what failed, what is there, and what somebody can do.

use pmks_driver::Marks;
use pmks_model::{Failure, FailureKind};
use pmks_store::{Blocked, Operation};
use uuid::Uuid;

use crate::kill_matrix::{House, truth};

/// The end of an operation: why, and what of its own exists.
pub(super) fn says_why(house: &House, operation: &Operation) -> Result<(), String> {
    match (&operation.error, &operation.blocked) {
        (Some(failure), _) => is_clear(failure)?,
        (None, Some(blocked)) => says_what_it_needs(house, blocked)?,
        (None, None) => {
            return Err(format!("it ended as {} and says nothing: {operation:#?}", operation.state));
        }
    }
    if operation.state.is_final() { lists_its_own(house, operation) } else { Ok(()) }
}

/// A failure says what failed, and is none of our own; what somebody has to mend is said.
pub(super) fn is_clear(failure: &Failure) -> Result<(), String> {
    let is_ours = failure.kind == FailureKind::Unexpected && failure.provider.is_none();
    let for_a_person = [FailureKind::Precondition, FailureKind::PrerequisiteMissing].contains(&failure.kind);
    if failure.detail.is_empty() || is_ours || (for_a_person && failure.fix.is_none()) {
        return Err(format!("no clear failure: {failure:?}"));
    }
    Ok(())
}

/// What waits for somebody says for what, and names only what is there to choose from.
fn says_what_it_needs(house: &House, blocked: &Blocked) -> Result<(), String> {
    let rows = house.cloud.resources();
    let is_there = |candidate: &String| {
        rows.iter().any(|row| truth::is_called(&house.under_test.id(row), row, candidate))
    };
    let is_clear = match blocked.reason.as_str() {
        "which" => {
            blocked.stage.is_some() && blocked.candidates.len() > 1 && blocked.candidates.iter().all(is_there)
        }
        "credential" | "connection" => true,
        _ => false,
    };
    if is_clear && !blocked.needs.is_empty() { Ok(()) } else { Err(format!("no clear need: {blocked:?}")) }
}

/// What carries the mark of an operation that has ended is among what it says remains.
fn lists_its_own(house: &House, operation: &Operation) -> Result<(), String> {
    let [_, mark, _] = Marks::KEYS;
    for kind in truth::RECORDED {
        let Some(word) = house.under_test.word(kind) else { continue };
        for row in house.cloud.resources().into_iter().filter(|row| row.kind == word) {
            let is_its_own =
                row.tags.get(mark).and_then(|mark| Uuid::parse_str(mark).ok()) == Some(operation.id);
            let id = house.under_test.id(&row);
            let is_listed = operation.remains.iter().any(|remains| {
                truth::is_called(&id, &row, &remains.system_id) || row.name.as_ref() == Some(&remains.name)
            });
            // A part goes with its whole.
            let whole = row.attributes.get("cluster").and_then(|whole| whole.as_str());
            let is_part = operation.remains.iter().any(|remains| Some(remains.name.as_str()) == whole);
            if is_its_own && !is_listed && !is_part {
                return Err(format!("{word} {id} exists, and is not listed: {operation:#?}"));
            }
        }
    }
    Ok(())
}
