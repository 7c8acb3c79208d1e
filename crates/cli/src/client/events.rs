//! Server-sent events, as the HTML standard describes them. Never reconnects: who watches does.
//!
//! Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>

use std::collections::VecDeque;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;

use crate::error::Result;

/// The longest line that is kept, in bytes, and about as much of one event; what is longer is no event of ours.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its name; `message` where the stream names none.
    pub(crate) name: String,
    /// Its data.
    pub(crate) data: String,
    /// The last id that the stream gave.
    pub(crate) id: Option<String>,
}

/// Events as they come.
pub(crate) struct Events {
    body: BoxStream<'static, Result<Bytes>>,
    parser: Parser,
}

impl Events {
    /// The events in a body.
    pub(crate) fn new(body: BoxStream<'static, Result<Bytes>>) -> Self {
        Self { body, parser: Parser::default() }
    }

    /// The next event; `None` when the stream ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.parser.ready.pop_front() {
                return Ok(Some(event));
            }
            match self.body.next().await {
                Some(part) => self.parser.feed(&part?),
                None => return Ok(None),
            }
        }
    }
}

#[derive(Default)]
struct Parser {
    line: Vec<u8>,
    /// A line feed that follows a carriage return belongs to it.
    after_return: bool,
    event: String,
    data: String,
    id: Option<String>,
    ready: VecDeque<Event>,
}

impl Parser {
    fn feed(&mut self, part: &[u8]) {
        for byte in part {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    self.take(&String::from_utf8_lossy(&line));
                }
                _ => {
                    self.after_return = false;
                    if self.line.len() < LONGEST_LINE {
                        self.line.push(*byte);
                    }
                }
            }
        }
    }

    fn take(&mut self, line: &str) {
        if line.is_empty() {
            self.dispatch();
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" if self.data.len() < LONGEST_LINE => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // A comment, a retry time, or a field of tomorrow.
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        let (mut data, name) = (std::mem::take(&mut self.data), std::mem::take(&mut self.event));
        if data.is_empty() && name.is_empty() {
            return;
        }
        data.truncate(data.trim_end_matches('\n').len());
        let name = if name.is_empty() { "message".to_owned() } else { name };
        self.ready.push_back(Event { name, data, id: self.id.clone() });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn events(parts: &'static [&'static str]) -> Vec<(String, String, Option<String>)> {
        let body = futures::stream::iter(parts.iter().map(|part| Ok(Bytes::from_static(part.as_bytes()))));
        let mut events = Events::new(body.boxed());
        let mut all = Vec::new();
        while let Some(event) = events.next().await.unwrap() {
            all.push((event.name, event.data, event.id));
        }
        all
    }

    #[tokio::test]
    async fn events_are_read_however_the_bytes_are_cut() {
        let all = events(&[
            "id: 7\nevent: oper",
            "ation\r",
            "\ndata: {\"a\":\ndata: 1}\n\n: still here\n\n",
            "event: end\n\n",
        ]);
        let text = |text: &str| text.to_owned();
        assert_eq!(
            all.await,
            [
                (text("operation"), text("{\"a\":\n1}"), Some(text("7"))),
                (text("end"), text(""), Some(text("7"))),
            ]
        );
    }

    #[tokio::test]
    async fn an_event_that_was_cut_off_is_none() {
        assert!(events(&["event: operation\ndata: {"]).await.is_empty());
    }

    proptest! {
        #![proptest_config(crate::properties::cases(500))]
        #[test]
        fn any_bytes_are_the_same_events_however_they_are_cut(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..60),
                "((id|data|event|retry|)(:|) ?\\PC{0,4}(\n|\r|\r\n){1,2}){0,6}".prop_map(String::into_bytes),
            ],
            at in any::<prop::sample::Index>(),
        ) {
            let read = |parts: [&[u8]; 2]| {
                let mut parser = Parser::default();
                for part in parts {
                    parser.feed(part);
                }
                parser.ready
            };
            let whole = read([&bytes, &[]]);
            let cut = at.index(bytes.len() + 1);
            prop_assert_eq!(read([&bytes[..cut], &bytes[cut..]]), whole);
        }
    }

    #[test]
    fn an_event_without_an_end_takes_no_more_room_than_a_line() {
        let mut parser = Parser::default();
        let line = format!("data: {}\n", "x".repeat(1 << 20));
        (0..64).for_each(|_| parser.feed(line.as_bytes()));
        assert!(parser.data.len() <= LONGEST_LINE + (2 << 20), "{}", parser.data.len());
    }
}
