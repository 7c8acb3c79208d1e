//! Secrets in XML: by element name at any depth, by attribute, by pairs of name and value, in text.

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};

use super::{REDACTED, Redaction, is_key_of_pair, is_value_of_pair};

/// One open element.
struct Open {
    name: String,
    secret: bool,
    /// A child said the name of a secret, so its sibling is the secret.
    names_a_secret: bool,
}

/// Reads events and writes them again. Text comes in pieces (an entity is a piece of its own), so it is gathered and
/// judged as a whole: a secret may lie across the pieces.
struct Rewriter<'a> {
    redaction: &'a Redaction,
    open: Vec<Open>,
    gathered: String,
    out: String,
}

/// `None` when the text is not well-formed: it then goes by its looks alone.
pub(super) fn redact(redaction: &Redaction, text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    let mut rewriter = Rewriter {
        redaction,
        open: Vec::new(),
        gathered: String::new(),
        out: String::with_capacity(text.len()),
    };
    loop {
        let event = reader.read_event().ok()?;
        if matches!(event, Event::Eof) {
            break;
        }
        rewriter.event(event);
    }
    rewriter.end_of_text();
    rewriter.open.is_empty().then_some(rewriter.out)
}

impl Rewriter<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) => self.gathered.push_str(&text.into_inner()),
            Event::GeneralRef(name) => {
                self.gathered.push('&');
                self.gathered.push_str(&name.into_inner());
                self.gathered.push(';');
            }
            Event::CData(text) => self.gathered.push_str(&escape(text.into_inner())),
            Event::Start(tag) => {
                self.end_of_text();
                self.tag(&tag, ">");
                let open = self.opened(&tag);
                self.open.push(open);
            }
            Event::Empty(tag) => {
                self.end_of_text();
                self.tag(&tag, "/>");
            }
            Event::End(tag) => {
                self.end_of_text();
                self.open.pop();
                self.out.extend(["</", tag.name().as_ref(), ">"]);
            }
            // Neither declarations nor comments carry data that anybody needs.
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => {}
        }
    }

    fn opened(&self, tag: &BytesStart<'_>) -> Open {
        let name = tag.local_name().as_ref().to_owned();
        let secret = self.redaction.is_secret_name(&name)
            || self
                .open
                .last()
                .is_some_and(|parent| parent.secret || (parent.names_a_secret && is_value_of_pair(&name)));
        Open { name, secret, names_a_secret: false }
    }

    fn tag(&mut self, tag: &BytesStart<'_>, end: &str) {
        let attributes = self.redaction.text(tag.attributes_raw());
        self.out.extend(["<", tag.name().as_ref(), &attributes, end]);
    }

    fn end_of_text(&mut self) {
        let raw = std::mem::take(&mut self.gathered);
        if raw.trim().is_empty() {
            self.out.push_str(&raw);
            return;
        }
        if self.open.last().is_some_and(|element| element.secret) {
            self.out.push_str(REDACTED);
            return;
        }
        let plain = unescape(&raw).map_or_else(|_| raw.clone(), std::borrow::Cow::into_owned);
        self.note_name(&plain);
        let clean = self.redaction.value(&plain);
        if clean == plain {
            self.out.push_str(&raw);
        } else {
            self.out.push_str(&escape(clean));
        }
    }

    /// `<key>password</key>` makes its sibling `<value>` a secret.
    fn note_name(&mut self, text: &str) {
        if let [.., parent, element] = self.open.as_mut_slice()
            && is_key_of_pair(&element.name)
            && self.redaction.is_secret_name(text.trim())
        {
            parent.names_a_secret = true;
        }
    }
}
