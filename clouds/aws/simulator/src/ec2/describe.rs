//! What all `Describe…` calls of EC2 share: ids, filters, pages; and how each kind of resource takes part.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html>.

use pmks_simulation::pages;

use super::state::{
    CarrierGateway, EgressOnlyGateway, Instance, InternetGateway, NetworkAcl, NetworkInterface, RouteTable,
    SecurityGroup, State, Subnet, Volume, Vpc, VpcEndpoint, VpcPeering, VpnGateway,
};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::{Place, Tags};
use crate::xml::Xml;

/// What is kept under an id, with tags.
pub(super) trait Kept {
    /// Its id.
    fn id(&self) -> &str;
    /// Its tags.
    fn tags(&self) -> &Tags;
}

/// Kinds that have both as fields of these names.
macro_rules! kept {
    ($($kind:ident)*) => {$(
        impl Kept for $kind {
            fn id(&self) -> &str {
                &self.id
            }

            fn tags(&self) -> &Tags {
                &self.tags
            }
        }
    )*};
}

kept!(CarrierGateway EgressOnlyGateway Instance InternetGateway NetworkAcl NetworkInterface RouteTable);
kept!(SecurityGroup Subnet Volume Vpc VpcEndpoint VpcPeering VpnGateway);

/// A kind of resource that can be listed.
pub(super) trait Described: Kept {
    /// The answer's list.
    const SET: &'static str;
    /// The request's list of ids.
    const IDS: &'static str;
    /// The filters beside `tag:…` and `tag-key`.
    const FILTERS: &'static [&'static str];

    /// EC2's words for an id that does not exist: of most kinds they are made of how the request calls its ids.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>.
    fn not_found(id: &str) -> Error {
        let kind = Self::IDS.strip_suffix("Id").unwrap_or(Self::IDS);
        let mut letters = kind.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        let called: String = first.into_iter().chain(letters).collect();
        Error::bad(&format!("Invalid{kind}ID.NotFound"), format!("The {called} ID '{id}' does not exist"))
    }
    /// What a filter of [`Self::FILTERS`] compares.
    fn values(&self, filter: &str) -> Vec<String>;
    /// As the answer writes it.
    fn written(&self, state: &State, place: &Place) -> Xml;
}

/// Answers a `Describe…` call over these items.
pub(super) fn describe<'a, T: Described + 'a>(
    context: &'a Context<'_>,
    query: &Query,
    items: impl Iterator<Item = &'a T>,
) -> Result<Xml> {
    let items: Vec<&T> = items.collect();
    let ids = query.list(T::IDS);
    if let Some(absent) = ids.iter().find(|id| !items.iter().any(|item| item.id() == **id)) {
        return Err(T::not_found(absent));
    }
    let filters = Filters::read(query, T::FILTERS)?;
    let state = &context.region().ec2;
    let wanted = items.into_iter().filter(|item| {
        (ids.is_empty() || ids.iter().any(|id| id == item.id()))
            && filters.keep(item.tags(), |filter| item.values(filter))
    });
    let written = wanted.map(|item| (item.id().to_owned(), item.written(state, &context.place)));
    paged(query, T::SET, !ids.is_empty(), written.collect())
}

/// A page of items under `set`, by the request's `MaxResults` and `NextToken`.
pub(super) fn paged(query: &Query, set: &str, by_id: bool, items: Vec<(String, Xml)>) -> Result<Xml> {
    let size: Option<usize> = query.number("MaxResults")?;
    if let Some(size) = size {
        if by_id {
            let message = "The parameter MaxResults cannot be used with a list of ids in the same request";
            return Err(Error::bad("InvalidParameterCombination", message));
        }
        if !(5..=1000).contains(&size) {
            let message = format!(
                "Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000."
            );
            return Err(Error::bad("InvalidParameterValue", message));
        }
    }
    let (page, next) = pages::page(items, size.unwrap_or(usize::MAX), query.get("NextToken"))
        .map_err(|_| Error::bad("InvalidParameterValue", "Unable to parse pagination token"))?;
    Ok(Xml::new().list(set, "item", page).maybe("nextToken", next))
}

/// The filters of a request: all must hold, each for one of its values.
pub(super) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// Reads them, refusing names that are neither known nor about tags.
    pub(super) fn read(query: &Query, known: &[&str]) -> Result<Self> {
        let filters = query.structures("Filter").into_iter().map(|filter| {
            let name = filter.required("Name")?.to_owned();
            if known.contains(&name.as_str()) || name.starts_with("tag:") || name == "tag-key" {
                return Ok((name, filter.list("Value")));
            }
            Err(Error::bad("InvalidParameterValue", format!("The filter '{name}' is invalid")))
        });
        filters.collect::<Result<_>>().map(Self)
    }

    /// Whether something with these tags and values passes.
    pub(super) fn keep(&self, tags: &Tags, values: impl Fn(&str) -> Vec<String>) -> bool {
        self.0.iter().all(|(name, wanted)| {
            let found = if let Some(key) = name.strip_prefix("tag:") {
                tags.get(key).cloned().into_iter().collect()
            } else if name == "tag-key" {
                tags.keys().cloned().collect()
            } else {
                values(name)
            };
            found
                .iter()
                .any(|value| wanted.iter().any(|pattern| matches(pattern.as_bytes(), value.as_bytes())))
        })
    }
}

/// `*` stands for any run, `?` for one character, `\` takes the next one literally.
///
/// Goes back only to the last `*`, so that no pattern takes more than the product of both lengths.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while read < text.len() {
        let literal = pattern.get(at) == Some(&b'\\') && at + 1 < pattern.len();
        let expected = if literal { pattern.get(at + 1) } else { pattern.get(at) };
        match expected {
            Some(b'*') if !literal => {
                retry = Some((at + 1, read));
                at += 1;
            }
            Some(byte) if (*byte == b'?' && !literal) || text.get(read) == Some(byte) => {
                at += if literal { 2 } else { 1 };
                read += 1;
            }
            _ => {
                let Some((after, from)) = retry else { return false };
                retry = Some((after, from + 1));
                (at, read) = (after, from + 1);
            }
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_does_not_exist_is_refused_in_the_words_of_its_kind() {
        let says = |refused: Error| (refused.code, refused.message);
        let words = |code: &str, message: &str| (code.to_owned(), message.to_owned());
        assert_eq!(
            says(Vpc::not_found("x")),
            words("InvalidVpcID.NotFound", "The vpc ID 'x' does not exist")
        );
        assert_eq!(
            says(VpcPeering::not_found("x")),
            words("InvalidVpcPeeringConnectionID.NotFound", "The vpcPeeringConnection ID 'x' does not exist")
        );
        assert_eq!(
            says(SecurityGroup::not_found("x")),
            words("InvalidGroup.NotFound", "The security group 'x' does not exist")
        );
    }

    #[test]
    fn wildcards_match_as_in_ec2() {
        let holds = |pattern: &str, text: &str| matches(pattern.as_bytes(), text.as_bytes());
        assert!(holds("a*c", "abbbc") && holds("a?c", "abc") && holds("*", "") && holds("a\\*", "a*"));
        assert!(holds("*b*b*", "abcb") && holds("한*", "한글"));
        assert!(!holds("a?c", "ac") && !holds("a\\*", "ab") && !holds("", "a") && !holds("a", ""));
    }

    #[test]
    fn filters_are_all_and_values_are_any() {
        let query = Query::read(b"Filter.1.Name=vpc-id&Filter.1.Value.1=a&Filter.1.Value.2=b&Filter.2.Name=tag:k&Filter.2.Value.1=v");
        let filters = Filters::read(&query, &["vpc-id"]).unwrap();
        let tags = |value: &str| Tags::from([("k".to_owned(), value.to_owned())]);
        assert!(filters.keep(&tags("v"), |_| vec!["b".to_owned()]));
        assert!(!filters.keep(&tags("x"), |_| vec!["b".to_owned()]));
        assert!(!filters.keep(&tags("v"), |_| vec!["c".to_owned()]));
        assert!(Filters::read(&query, &[]).is_err());
    }
}
