//! Paths under `/v1`, whose parts are names that users wrote: each is one segment, whatever it holds.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Error, Result};

/// What needs no escape in a segment or a value.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');

/// A path with its query.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    segments: Vec<String>,
    query: Vec<(String, String)>,
}

impl Path {
    /// `/v1` and these segments.
    pub(crate) fn v1<'a>(segments: impl IntoIterator<Item = &'a str>) -> Self {
        Self::at(["v1"].into_iter().chain(segments))
    }

    /// These segments, from the root.
    pub(crate) fn at<'a>(segments: impl IntoIterator<Item = &'a str>) -> Self {
        Self { segments: segments.into_iter().map(str::to_owned).collect(), query: Vec::new() }
    }

    /// One segment more.
    pub(crate) fn join(mut self, segment: &str) -> Self {
        self.segments.push(segment.to_owned());
        self
    }

    /// One parameter more.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The text on the wire.
    ///
    /// # Errors
    /// For a name that is no segment: empty, or one that would lead elsewhere.
    pub(crate) fn target(&self) -> Result<String> {
        let mut target = String::new();
        for segment in &self.segments {
            if segment.is_empty() {
                return Err(Error::usage("a name is empty"));
            }
            if segment == "." || segment == ".." {
                return Err(Error::usage(format!("{segment:?} is no name")));
            }
            target.push('/');
            target.extend(utf8_percent_encode(segment, ESCAPED));
        }
        for (place, (name, value)) in self.query.iter().enumerate() {
            target.push(if place == 0 { '?' } else { '&' });
            target.extend(utf8_percent_encode(name, ESCAPED));
            target.push('=');
            target.extend(utf8_percent_encode(value, ESCAPED));
        }
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_one_segment() {
        let path = Path::v1(["connections", "a/b?c", "clusters"]).query("tag", "k=v&x");
        assert_eq!(path.target().unwrap(), "/v1/connections/a%2Fb%3Fc/clusters?tag=k%3Dv%26x");
        assert_eq!(Path::v1(["connections", "한"]).target().unwrap(), "/v1/connections/%ED%95%9C");
        for name in ["", ".", ".."] {
            assert!(Path::v1(["connections", name]).target().is_err(), "{name:?}");
        }
    }

    proptest! {
        #![proptest_config(crate::properties::cases(500))]
        #[test]
        fn any_name_is_one_segment_of_plain_letters(name in "(\\PC{0,12}|[\\s\\S]{0,8}|[./%]{0,6})") {
            let Ok(target) = Path::v1(["connections", &name]).query("tag", &name).target() else {
                prop_assert!(["", ".", ".."].contains(&&*name));
                return Ok(());
            };
            prop_assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{}", target);
            let (path, query) = target.split_once('?').unwrap();
            let segments: Vec<&str> = path.split('/').collect();
            prop_assert_eq!(segments.len(), 4, "{}", path);
            let read = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(read(segments[3]), name.clone());
            prop_assert_eq!(read(query.strip_prefix("tag=").unwrap()), name);
        }
    }
}
