//! Pages of a list: cursors that survive inserts and deletes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pmks_model::Tags;

use crate::Result;
use crate::failure::{invalid, malformed};

/// Which part of a list is wanted, and what it must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// The most items; `None`: 100. From 1 to 1000.
    pub page_size: Option<u32>,
    /// Where the page before ended.
    pub page_token: Option<String>,
    /// Only this name.
    pub name: Option<String>,
    /// Only this state or status.
    pub state: Option<String>,
    /// Only with these tags; an empty value matches any.
    pub tags: Vec<(String, String)>,
}

/// A part of a list, ordered by uid.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to ask the next page with; `None`: this was the last one.
    pub next_page_token: Option<String>,
}

impl PageRequest {
    const USUAL: u32 = 100;
    const LARGEST: u32 = 1000;

    /// The most items.
    ///
    /// # Errors
    /// `InvalidRequest` if it is out of bounds.
    pub fn size(&self) -> Result<usize> {
        let size = self.page_size.unwrap_or(Self::USUAL);
        if size == 0 || size > Self::LARGEST {
            return Err(invalid("pageSize", format!("must be from 1 to {}", Self::LARGEST)));
        }
        Ok(size as usize)
    }

    /// The uid after which the page begins. `list` says in a text which list it is.
    ///
    /// # Errors
    /// `Malformed` if it is no token of that list.
    pub fn after(&self, list: &str) -> Result<Option<String>> {
        let Some(token) = self.page_token.as_deref().filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| Some(text.strip_prefix(list)?.strip_prefix('\n')?.to_owned()))
            .map(Some)
            .ok_or_else(not_of_this_list)
    }

    /// Whether every item is wanted, whatever it is.
    pub(crate) fn keeps_all(&self) -> bool {
        self.name.is_none() && self.state.is_none() && self.tags.is_empty()
    }

    /// Whether an item of this name, state and tags is wanted. What has no tags matches no tag.
    pub(crate) fn keeps(&self, name: &str, state: &str, tags: Option<&Tags>) -> bool {
        let tagged = |(key, value): &(String, String)| {
            let has = tags.and_then(|tags| tags.get(key));
            has.is_some_and(|has| value.is_empty() || has == value)
        };
        self.name.as_deref().is_none_or(|wanted| wanted == name)
            && self.state.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(state))
            && self.tags.iter().all(tagged)
    }

    /// Cuts a page out of all items, which need not be sorted.
    ///
    /// # Errors
    /// `InvalidRequest` for a size that cannot be, `Malformed` for a token of another list.
    pub fn cut<T>(&self, list: &str, mut all: Vec<T>, uid: impl Fn(&T) -> &str) -> Result<Page<T>> {
        let (size, after) = (self.size()?, self.after(list)?);
        all.sort_by(|a, b| uid(a).cmp(uid(b)));
        let mut items: Vec<T> =
            all.into_iter().filter(|item| after.as_deref().is_none_or(|after| uid(item) > after)).collect();
        let more = items.len() > size;
        items.truncate(size);
        let next_page_token = items.last().filter(|_| more).map(|last| token(list, uid(last)));
        Ok(Page { items, next_page_token })
    }

    /// Cuts a page out of a list that has an order of its own and no uids; all of it where no size is given. A page
    /// begins behind the item that ended the one before, or, where that is gone, at its place.
    ///
    /// # Errors
    /// As [`PageRequest::cut`].
    pub fn part<T>(&self, list: &str, all: Vec<T>, name: impl Fn(&T) -> &str) -> Result<Page<T>> {
        let size = if self.page_size.is_some() { self.size()? } else { all.len() };
        let begin = match self.after(list)? {
            None => 0,
            Some(text) => {
                let (index, ended) = text.split_once('\n').ok_or_else(not_of_this_list)?;
                let index: usize = index.parse().map_err(|_| not_of_this_list())?;
                all.iter().position(|item| name(item) == ended).map_or(index, |at| at + 1)
            }
        };
        let end = begin.saturating_add(size);
        let more = end < all.len();
        let items: Vec<T> = all.into_iter().skip(begin).take(size).collect();
        let next_page_token =
            items.last().filter(|_| more).map(|last| token(list, &format!("{end}\n{}", name(last))));
        Ok(Page { items, next_page_token })
    }
}

pub(crate) fn token(list: &str, after: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}\n{after}"))
}

/// A page token that no page of this list gave.
pub(crate) fn not_of_this_list() -> Box<pmks_model::Failure> {
    malformed("pageToken", "is not a token of this list")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    fn page(size: u32, token: Option<String>) -> PageRequest {
        PageRequest { page_size: Some(size), page_token: token, ..PageRequest::default() }
    }

    fn uids(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_token_survives_inserts_and_deletes() {
        let first = page(2, None).cut("l", uids(&["c", "a", "b", "d"]), |uid| uid).unwrap();
        assert_eq!(first.items, ["a", "b"]);
        let second =
            page(2, first.next_page_token).cut("l", uids(&["aa", "c", "d", "e"]), |uid| uid).unwrap();
        assert_eq!(second.items, ["c", "d"]);
        let third = page(2, second.next_page_token).cut("l", uids(&["e"]), |uid| uid).unwrap();
        assert_eq!((third.items.as_slice(), third.next_page_token), (&["e".to_owned()][..], None));
    }

    #[test]
    fn a_list_with_an_order_of_its_own_is_whole_or_in_parts() {
        let all = || uids(&["c", "a", "d", "b"]);
        let whole = PageRequest::default().part("l", all(), |name| name).unwrap();
        assert_eq!((whole.items, whole.next_page_token), (all(), None));
        let first = page(2, None).part("l", all(), |name| name).unwrap();
        assert_eq!(first.items, ["c", "a"]);
        let token = first.next_page_token;
        let second = page(2, token.clone()).part("l", all(), |name| name).unwrap();
        assert_eq!((second.items.as_slice(), second.next_page_token), (&uids(&["d", "b"])[..], None));
        let moved = page(9, token.clone()).part("l", uids(&["new", "c", "a", "d"]), |name| name).unwrap();
        assert_eq!(moved.items, ["d"]);
        let gone = page(9, token).part("l", uids(&["c", "x", "d"]), |name| name).unwrap();
        assert_eq!(gone.items, ["d"]);
    }

    #[test]
    fn a_token_of_another_list_is_none() {
        let first = page(1, None).cut("a", uids(&["1", "2"]), |uid| uid).unwrap();
        let failure = page(1, first.next_page_token).cut("b", uids(&["1", "2"]), |uid| uid).unwrap_err();
        assert_eq!(failure.kind, pmks_model::FailureKind::Malformed);
    }

    #[test]
    fn refuses_what_is_out_of_bounds() {
        for (request, field) in [
            (page(0, None), "pageSize"),
            (page(1001, None), "pageSize"),
            (page(1, Some("%".into())), "pageToken"),
        ] {
            let failure = request.cut("l", Vec::<String>::new(), |uid| uid).unwrap_err();
            assert_eq!(failure.findings.iter().next().unwrap().field, field);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 500, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
        })]
        #[test]
        fn a_token_of_anybodys_is_refused_or_begins_somewhere(
            token in prop_oneof!["[A-Za-z0-9_-]{0,40}", "\\PC{0,20}", "(l|m|l\n)\n\\PC{0,12}(\n\\PC{0,6})?"
                .prop_map(|text| URL_SAFE_NO_PAD.encode(text))],
            size in 0..1200_u32,
        ) {
            let all = || (0..20).map(|number| format!("{number:02}")).collect::<Vec<_>>();
            let request = page(size, Some(token));
            for cut in [request.cut("l", all(), |uid| uid), request.part("l", all(), |name| name)] {
                match cut {
                    Ok(page) => prop_assert!(page.items.len() <= 20),
                    Err(failure) => prop_assert!(failure.findings.iter().next().is_some()),
                }
            }
        }
    }
}
