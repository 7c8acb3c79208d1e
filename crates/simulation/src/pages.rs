//! Pages of lists: the token names the last item shown, so that it survives what is made or deleted in between.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The token of a page that nobody was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the page token is unknown")]
pub struct StrangeToken;

/// The items after `token`, at most `size`, and the token of the next page. Items are shown by their key's order.
///
/// # Errors
/// When the token is none of ours; each service has its own words for it.
pub fn page<T>(
    mut items: Vec<(String, T)>,
    size: usize,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), StrangeToken> {
    items.sort_by(|(one, _), (other, _)| one.cmp(other));
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        let after = read(token).ok_or(StrangeToken)?;
        items.retain(|(key, _)| *key > after);
    }
    let more = items.len() > size;
    items.truncate(size);
    let next = if more { items.last().map(|(key, _)| write(key)) } else { None };
    Ok((items.into_iter().map(|(_, item)| item).collect(), next))
}

const MARK: &str = "after:";

fn write(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{MARK}{key}"))
}

fn read(token: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix(MARK).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(keys: &[&str]) -> Vec<(String, String)> {
        keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned())).collect()
    }

    #[test]
    fn pages_show_each_item_once_though_one_goes_and_one_comes() {
        let (first, token) = page(items(&["c", "a", "b", "d"]), 2, None).unwrap();
        assert_eq!(first, ["a", "b"]);
        let (second, token) = page(items(&["a", "aa", "c", "d"]), 2, token.as_deref()).unwrap();
        assert_eq!(second, ["c", "d"]);
        assert_eq!(token, None);
    }

    #[test]
    fn strange_tokens_are_refused() {
        assert!(page(items(&["a"]), 1, Some("!")).is_err());
        assert!(page(items(&["a"]), 1, Some("YWJj")).is_err());
    }
}
