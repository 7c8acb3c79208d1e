//! What goes between pmks and a cloud, taken down byte by byte: the secrets that nobody could know before the run.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One direction of one connection.
type Taken = Arc<Mutex<Vec<u8>>>;

/// A relay on loopback before a cloud, which keeps all that passes.
pub(super) struct Tap {
    /// Where it answers.
    pub(super) url: String,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Tap {
    /// A relay to that address.
    pub(super) fn before(url: &str) -> Self {
        let to = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&taken);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(&to) else { continue };
                let ways = [
                    (near.try_clone().unwrap(), far.try_clone().unwrap()),
                    (far.try_clone().unwrap(), near.try_clone().unwrap()),
                ];
                for (from, to) in ways {
                    let way = Taken::default();
                    kept.lock().unwrap().push(Arc::clone(&way));
                    std::thread::spawn(move || pass_on(from, to, &way));
                }
            }
        });
        Self { url, taken }
    }

    /// The secrets that passed, each with what it is.
    pub(super) fn secrets(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for way in self.taken.lock().unwrap().iter() {
            let text = String::from_utf8_lossy(&way.lock().unwrap()).into_owned();
            for (kind, before, ends) in PLACES {
                for rest in text.split(before).skip(1) {
                    let secret = rest.split(*ends).next().unwrap_or_default();
                    found.push((*kind, last_part(secret)));
                }
            }
            found.extend(of_kubeconfigs(&text));
        }
        found.retain(|(_, secret)| secret.len() >= 24);
        found.sort();
        found.dedup();
        found
    }
}

/// What is secret on the way to a cloud and back: what it is, what stands before it, and what ends it.
const PLACES: &[(&str, &str, &[char])] = &[
    ("a token of a cloud", "authorization: Bearer ", &['\r', '\n']),
    ("a signature", "Signature=", &['\r', '\n', ',', '&', ' ']),
    ("a token of a cloud", "\"access_token\":\"", &['"']),
    ("a signed assertion", "assertion=", &['&', ' ', '\r', '\n']),
];

/// Of a signed token the signature, which is in every copy of it that is of use.
fn last_part(secret: &str) -> String {
    let parts: Vec<&str> = secret.split('.').collect();
    match parts.as_slice() {
        [_, _, signature] if signature.len() >= 24 => (*signature).to_owned(),
        _ => secret.to_owned(),
    }
}

/// Azure answers whole kubeconfigs, in base64.
fn of_kubeconfigs(text: &str) -> Vec<(&'static str, String)> {
    let values = text.split("\"value\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let configs = values.filter_map(|value| String::from_utf8(STANDARD.decode(value).ok()?).ok());
    configs.flat_map(|config| credentials(&config)).collect()
}

/// The credentials in a kubeconfig.
pub(super) fn credentials(config: &str) -> Vec<(&'static str, String)> {
    let lines = config.lines().filter_map(|line| line.trim().trim_start_matches("- ").split_once(": "));
    let secret = lines.filter(|(name, _)| ["token", "client-key-data"].contains(&name.trim_matches('"')));
    let value = |value: &str| value.trim().trim_matches(['"', ',']).to_owned();
    secret.map(|(_, secret)| ("a credential of a cluster", value(secret))).collect()
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 1 << 14];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        kept.lock().unwrap().extend_from_slice(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // The other side is told of the end; one that is gone needs no word.
    let _ = to.shutdown(Shutdown::Write);
}
