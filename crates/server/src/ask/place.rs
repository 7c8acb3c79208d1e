//! Where in a body something is.

use std::fmt;

use serde_json::Value;
use serde_path_to_error::{Path, Segment};

/// The way to a value, from the whole body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
}

impl Place {
    /// As serde followed it.
    pub(super) fn of(path: &Path) -> Self {
        let step = |segment: &Segment| match segment {
            Segment::Map { key } => Some(Step::Field(key.clone())),
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        Self(path.iter().filter_map(step).collect())
    }

    /// A field of what is there.
    pub(super) fn to(&self, field: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Field(field.to_owned()));
        Self(steps)
    }

    /// What it is a field of, and its name there.
    pub(super) fn parent(&self) -> Option<(Self, String)> {
        match self.0.split_last()? {
            (Step::Field(field), before) => Some((Self(before.to_vec()), field.clone())),
            (Step::Index(_), _) => None,
        }
    }

    /// Whether it is that place or a part of it.
    pub(super) fn is_within(&self, whole: &Self) -> bool {
        self.0.starts_with(&whole.0)
    }

    /// What is there.
    pub(super) fn find<'a>(&self, whole: &'a mut Value) -> Option<&'a mut Value> {
        self.0.iter().try_fold(whole, |value, step| match step {
            Step::Field(field) => value.get_mut(field),
            Step::Index(index) => value.get_mut(index),
        })
    }
}

/// As findings name fields: `nodeGroups[0].scaling.min`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(field) if number == 0 => f.write_str(field)?,
                Step::Field(field) => write!(f, ".{field}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
