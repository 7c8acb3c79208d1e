//! The search: every form of every secret in every byte that came out of a run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What came out of a run, by where it came out.
#[derive(Default)]
pub(super) struct Evidence(BTreeMap<String, Vec<u8>>);

impl Evidence {
    /// Keeps it.
    pub(super) fn add(&mut self, place: &str, bytes: impl AsRef<[u8]>) {
        self.0.entry(place.to_owned()).or_default().extend_from_slice(bytes.as_ref());
    }

    /// Keeps every file below a folder.
    pub(super) fn add_files(&mut self, place: &str, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let place = format!("{place}/{}", entry.file_name().display());
            if entry.path().is_dir() {
                self.add_files(&place, &entry.path());
            } else {
                // A file that is gone meanwhile holds nothing.
                self.add(&place, std::fs::read(entry.path()).unwrap_or_default());
            }
        }
    }

    /// The places whose beginning is this one.
    pub(super) fn count(&self, begins: &str) -> usize {
        self.0.keys().filter(|place| place.starts_with(begins)).count()
    }

    /// Where which kind of secret is, and in which form.
    pub(super) fn find(&self, secrets: &BTreeSet<(&'static str, String)>) -> BTreeSet<Found> {
        let mut known: HashMap<[u8; BEGINS], Vec<Form>> = HashMap::new();
        let mut first = vec![false; 1 << 16];
        for (kind, secret) in secrets {
            for (form, bytes) in forms(secret) {
                let begins = *bytes.first_chunk::<BEGINS>().unwrap();
                first[usize::from(u16::from_be_bytes([begins[0], begins[1]]))] = true;
                known.entry(begins).or_default().push((kind, form, bytes));
            }
        }
        let mut found = BTreeSet::new();
        for (place, bytes) in &self.0 {
            for (at, pair) in bytes.windows(BEGINS).enumerate() {
                if !first[usize::from(u16::from_be_bytes([pair[0], pair[1]]))] {
                    continue;
                }
                let Some(all) = known.get(pair) else { continue };
                for (kind, form, _) in all.iter().filter(|(_, _, secret)| bytes[at..].starts_with(secret)) {
                    found.insert(Found { place: place.clone(), kind, form });
                }
            }
        }
        found
    }
}

/// What is searched for, what it is, and the form it has.
type Form = (&'static str, &'static str, Vec<u8>);

/// With how many bytes a form is told from others at a glance.
const BEGINS: usize = 6;

/// A secret that came out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) place: String,
    pub(super) kind: &'static str,
    pub(super) form: &'static str,
}

/// The forms that a secret may come out in.
fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let mut forms = vec![
        ("as it is", bytes.to_vec()),
        ("in hexadecimal", hex.to_uppercase().into_bytes()),
        ("in hexadecimal", hex.into_bytes()),
        ("in a URL", utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string().into_bytes()),
        ("in JSON", serde_json::to_string(secret).unwrap().trim_matches('"').as_bytes().to_vec()),
    ];
    for shift in 0..3 {
        forms.push(("in base64", base64(&STANDARD_NO_PAD, bytes, shift)));
        forms.push(("in base64", base64(&URL_SAFE_NO_PAD, bytes, shift)));
    }
    forms.sort();
    forms.dedup_by(|one, other| one.1 == other.1);
    forms
}

/// What is the same in the base64 of every text that has these bytes at a place of that remainder.
fn base64(engine: &impl base64::Engine, bytes: &[u8], shift: usize) -> Vec<u8> {
    let mut padded = vec![0; shift];
    padded.extend_from_slice(bytes);
    let mut encoded = engine.encode(&padded).into_bytes();
    if !padded.len().is_multiple_of(3) {
        encoded.pop();
    }
    encoded.split_off([0, 2, 3][shift])
}

#[test]
fn every_form_is_found_wherever_it_stands() {
    let secret = "hunter2/hunter2+hunter2 \"hunter2\"";
    let secrets = BTreeSet::from([("a word", secret.to_owned())]);
    let hex = secret.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat();
    let around = |before: &str| STANDARD_NO_PAD.encode(format!("{before}{secret}after"));
    let in_json = serde_json::json!({"a": secret}).to_string();
    for text in [
        format!("x{secret}y"),
        hex.to_lowercase(),
        hex,
        format!("?a={}", utf8_percent_encode(secret, NON_ALPHANUMERIC)),
        in_json,
        around(""),
        around("a"),
        around("ab"),
        URL_SAFE_NO_PAD.encode(format!("abcd{secret}")),
    ] {
        let mut evidence = Evidence::default();
        evidence.add("here", &text);
        assert_eq!(evidence.find(&secrets).len(), 1, "{text}");
    }
    let mut evidence = Evidence::default();
    evidence.add("here", "hunter2/hunter2+hunter");
    assert!(evidence.find(&secrets).is_empty());
}
