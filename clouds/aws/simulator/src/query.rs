//! The parameters of a query-protocol request: flat names with dots and numbers, read as lists and structures.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html>.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// The parameters, or those of one structure among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads a form body or a query string; of a repeated name the last value counts.
    pub(crate) fn read(form: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(form).into_owned().collect())
    }

    /// The value of a parameter, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a parameter that must be there and not be empty.
    ///
    /// # Errors
    /// `MissingParameter`.
    pub(crate) fn required(&self, name: &str) -> Result<&str> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| Error::missing(name))
    }

    /// A number.
    ///
    /// # Errors
    /// `InvalidParameterValue`.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>> {
        self.get(name).map(|value| value.parse().map_err(|_| Error::invalid(name, value))).transpose()
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// `InvalidParameterValue`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(value) => Err(Error::invalid(name, value)),
        }
    }

    /// The values `name.1`, `name.2`, … in the order of their numbers (EC2: `VpcId`; elsewhere: `Names.member`).
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let mut values: Vec<(u32, &String)> = self
            .below(name)
            .filter_map(|(rest, value)| rest.parse().ok().map(|number: u32| (number, value)))
            .collect();
        values.sort_by_key(|(number, _)| *number);
        values.into_iter().map(|(_, value)| value.clone()).collect()
    }

    /// The structures `name.1.…`, `name.2.…` in the order of their numbers.
    pub(crate) fn structures(&self, name: &str) -> Vec<Query> {
        let mut found: BTreeMap<u32, BTreeMap<String, String>> = BTreeMap::new();
        for (rest, value) in self.below(name) {
            let (number, rest) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(number) = number.parse() {
                found.entry(number).or_default().insert(rest.to_owned(), value.clone());
            }
        }
        found.into_values().map(Query).collect()
    }

    /// The structure `name.…`.
    pub(crate) fn structure(&self, name: &str) -> Query {
        Query(self.below(name).map(|(rest, value)| (rest.to_owned(), value.clone())).collect())
    }

    /// Whether nothing is there.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn below(&self, name: &str) -> impl Iterator<Item = (&str, &String)> {
        let prefix = format!("{name}.");
        self.0.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix)).map({
            let length = name.len() + 1;
            move |(key, value)| (key.get(length..).unwrap_or_default(), value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_the_order_of_their_numbers() {
        let query = Query::read(b"VpcId.10=j&VpcId.2=b&VpcId.1=a&VpcIds.1=x&Names.member.1=n");
        assert_eq!(query.list("VpcId"), ["a", "b", "j"]);
        assert_eq!(query.list("Names.member"), ["n"]);
        assert!(query.list("Nothing").is_empty());
    }

    #[test]
    fn structures_hold_what_is_below_them() {
        let query = Query::read(b"Filter.1.Name=vpc-id&Filter.1.Value.1=v%201&Filter.2.Name=state&A.B.C=1");
        let filters = query.structures("Filter");
        assert_eq!(filters.len(), 2);
        assert_eq!(filters[0].get("Name"), Some("vpc-id"));
        assert_eq!(filters[0].list("Value"), ["v 1"]);
        assert_eq!(query.structure("A").get("B.C"), Some("1"));
    }

    #[test]
    fn values_are_checked() {
        let query = Query::read(b"N=x&F=yes&E=");
        assert_eq!(query.number::<u32>("N").unwrap_err().code, "InvalidParameterValue");
        assert_eq!(query.flag("F").unwrap_err().code, "InvalidParameterValue");
        assert_eq!(query.required("E").unwrap_err().code, "MissingParameter");
    }
}
