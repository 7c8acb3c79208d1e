//! Writes the XML of AWS' query protocols. Writes only: no wire type is shared with anybody who reads it.

use std::fmt::Display;

/// The content of an element, being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Xml(String);

impl Xml {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// `<name>value</name>`.
    #[must_use]
    pub(crate) fn text(mut self, name: &str, value: impl Display) -> Self {
        self.open(name);
        escape(&mut self.0, &value.to_string());
        self.close(name)
    }

    /// [`Self::text`] where there is a value.
    #[must_use]
    pub(crate) fn maybe(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// `<name>…</name>`.
    #[must_use]
    pub(crate) fn child(mut self, name: &str, content: &Xml) -> Self {
        self.open(name);
        self.0.push_str(&content.0);
        self.close(name)
    }

    /// `<name><item>…</item>…</name>`: `item` in EC2, `member` elsewhere. Written even when empty, as AWS does.
    #[must_use]
    pub(crate) fn list(mut self, name: &str, item: &str, contents: impl IntoIterator<Item = Xml>) -> Self {
        self.open(name);
        for content in contents {
            self = self.child(item, &content);
        }
        self.close(name)
    }

    /// `<name><item>text</item>…</name>`.
    #[must_use]
    pub(crate) fn texts(
        mut self,
        name: &str,
        item: &str,
        values: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        self.open(name);
        for value in values {
            self = self.text(item, value);
        }
        self.close(name)
    }

    /// What another one has, after what is here.
    #[must_use]
    pub(crate) fn and(mut self, other: &Xml) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// The document whose root is `<root xmlns="namespace">`.
    pub(crate) fn document(&self, root: &str, namespace: &str) -> String {
        let attribute = if namespace.is_empty() { String::new() } else { format!(" xmlns=\"{namespace}\"") };
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}{attribute}>{}</{root}>", self.0)
    }

    fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    fn close(mut self, name: &str) -> Self {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
        self
    }
}

/// Characters that XML cannot hold at all become U+FFFD, so that no input makes an answer unreadable.
fn escape(into: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\r' => into.push_str("&#xD;"),
            '\n' | '\t' => into.push(character),
            character if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                into.push('\u{fffd}');
            }
            character => into.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let xml = Xml::new().text("a", "<b>&\"\u{0}한글").document("Root", "");
        assert!(xml.ends_with("<Root><a>&lt;b&gt;&amp;&quot;\u{fffd}한글</a></Root>"), "{xml}");
    }

    #[test]
    fn lists_are_written_even_when_empty() {
        let xml = Xml::new().list("vpcSet", "item", []).texts("ids", "member", ["1", "2"]);
        assert_eq!(xml, Xml("<vpcSet></vpcSet><ids><member>1</member><member>2</member></ids>".into()));
    }
}
