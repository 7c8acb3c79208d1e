//! Pages of a list: cursors that survive inserts and deletes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pmks_model::Tags;

use crate::Result;
use crate::failure::invalid;

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

    /// The uid after which the page begins.
    ///
    /// # Errors
    /// `InvalidRequest` if it is no token of ours.
    pub fn after(&self) -> Result<Option<String>> {
        let Some(token) = self.page_token.as_deref().filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(Some)
            .ok_or_else(|| invalid("pageToken", "is not a token of this list"))
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
    /// `InvalidRequest` for a size or token that cannot be.
    pub fn cut<T>(&self, mut all: Vec<T>, uid: impl Fn(&T) -> &str) -> Result<Page<T>> {
        let (size, after) = (self.size()?, self.after()?);
        all.sort_by(|a, b| uid(a).cmp(uid(b)));
        let mut items: Vec<T> =
            all.into_iter().filter(|item| after.as_deref().is_none_or(|after| uid(item) > after)).collect();
        let more = items.len() > size;
        items.truncate(size);
        let next_page_token = items.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(uid(last)));
        Ok(Page { items, next_page_token })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(size: u32, token: Option<String>) -> PageRequest {
        PageRequest { page_size: Some(size), page_token: token, ..PageRequest::default() }
    }

    fn uids(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_token_survives_inserts_and_deletes() {
        let first = page(2, None).cut(uids(&["c", "a", "b", "d"]), |uid| uid).unwrap();
        assert_eq!(first.items, ["a", "b"]);
        let second = page(2, first.next_page_token).cut(uids(&["aa", "c", "d", "e"]), |uid| uid).unwrap();
        assert_eq!(second.items, ["c", "d"]);
        let third = page(2, second.next_page_token).cut(uids(&["e"]), |uid| uid).unwrap();
        assert_eq!((third.items.as_slice(), third.next_page_token), (&["e".to_owned()][..], None));
    }

    #[test]
    fn refuses_what_is_out_of_bounds() {
        for (request, field) in [
            (page(0, None), "pageSize"),
            (page(1001, None), "pageSize"),
            (page(1, Some("%".into())), "pageToken"),
        ] {
            let failure = request.cut(Vec::<String>::new(), |uid| uid).unwrap_err();
            assert_eq!(failure.findings.iter().next().unwrap().field, field);
        }
    }
}
