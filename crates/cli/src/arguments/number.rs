//! Numbers of requests as they were written. Whether they are any is the server's to say, beside whatever else is wrong.

use std::convert::Infallible;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A number, or what was given for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Number(Value);

impl Number {
    /// The larger of the two; this one where either is no size.
    pub(crate) fn at_least(self, other: &Self) -> Self {
        match (self.0.as_u64(), other.0.as_u64()) {
            (Some(own), Some(least)) if own < least => other.clone(),
            _ => self,
        }
    }
}

impl From<u32> for Number {
    fn from(number: u32) -> Self {
        Self(number.into())
    }
}

impl FromStr for Number {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let whole = text.parse::<i64>().map(Value::from);
        let number = whole.or_else(|_| text.parse::<serde_json::Number>().map(Value::Number));
        Ok(Self(number.unwrap_or_else(|_| Value::from(text))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_number_stays_as_it_was_written() {
        for (text, wanted) in [
            ("3", json!(3)),
            ("-1", json!(-1)),
            ("1.5", json!(1.5)),
            ("99999999999", json!(99_999_999_999_u64)),
            ("many", json!("many")),
            ("", json!("")),
        ] {
            assert_eq!(text.parse::<Number>().unwrap().0, wanted, "{text:?}");
        }
    }
}
