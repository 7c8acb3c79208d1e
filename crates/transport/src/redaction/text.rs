//! Secrets in free text, by their looks: private keys, bearer tokens, passwords in URLs, and `name=value`,
//! `name: value` whose name promises a secret, quoted, escaped or percent-encoded.

use super::{REDACTED, Redaction, form, names};

/// From where a secret was recognized: so many bytes stay, so many go.
struct Found {
    keep: usize,
    hide: usize,
}

pub(super) fn redact(redaction: &Redaction, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut position = 0;
    while let Some((before, rest)) = text.split_at_checked(position) {
        let Some(next) = rest.chars().next() else { break };
        match find(redaction, before, rest) {
            Some(Found { keep, hide }) if hide > 0 && !starts_redacted(rest, keep) => {
                out.push_str(rest.get(..keep).unwrap_or_default());
                out.push_str(REDACTED);
                position += keep + hide;
            }
            _ => {
                out.push(next);
                position += next.len_utf8();
            }
        }
    }
    out
}

fn starts_redacted(rest: &str, keep: usize) -> bool {
    rest.get(keep..).is_some_and(|hidden| hidden.starts_with(REDACTED))
}

fn find(redaction: &Redaction, before: &str, rest: &str) -> Option<Found> {
    match rest.as_bytes().first()? {
        b'-' => private_key(rest),
        b'k' => kubernetes_token(rest),
        b'e' => json_web_token(before, rest),
        b'b' | b'B' => after_scheme(before, rest),
        b'?' => signed_query(rest),
        b':' if rest.starts_with("://") => user_information(rest),
        b'=' | b':' | b'%' => named(redaction, before, rest),
        b'>' => element(redaction, before, rest),
        _ => None,
    }
}

fn private_key(rest: &str) -> Option<Found> {
    let label = rest.strip_prefix("-----BEGIN ")?;
    let label = label.get(..label.find("-----")?)?;
    if !label.ends_with("PRIVATE KEY") || label.len() > 40 {
        return None;
    }
    let keep = "-----BEGIN ".len() + label.len() + "-----".len();
    let secret = rest.get(keep..).filter(|secret| !secret.starts_with(REDACTED))?;
    Some(Found { keep, hide: secret.find("-----END ").unwrap_or(secret.len()) })
}

/// The token of EKS is a presigned URL in base64.
fn kubernetes_token(rest: &str) -> Option<Found> {
    let token = rest.strip_prefix("k8s-aws-v1.")?;
    Some(Found { keep: rest.len() - token.len(), hide: run(token, is_base64) })
}

fn json_web_token(before: &str, rest: &str) -> Option<Found> {
    if !rest.starts_with("eyJ") || before.ends_with(is_base64) {
        return None;
    }
    let header = run(rest, is_base64);
    let claims = rest.get(header..)?.strip_prefix('.')?;
    let claims_length = run(claims, is_base64);
    let signature = claims.get(claims_length..)?.strip_prefix('.')?;
    let long_enough = header >= 8 && claims_length >= 4;
    long_enough.then(|| Found { keep: 0, hide: header + claims_length + 2 + run(signature, is_base64) })
}

/// `Bearer …` and `Basic …`, but not «basic authentication».
fn after_scheme(before: &str, rest: &str) -> Option<Found> {
    if before.ends_with(|character: char| character.is_ascii_alphanumeric()) {
        return None;
    }
    let scheme = ["bearer ", "basic "]
        .into_iter()
        .find(|scheme| rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let length = run(rest.get(scheme.len()..)?, |character| !is_end(character));
    let secret = rest.get(scheme.len()..scheme.len() + length)?;
    let looks_random =
        length >= 16 || secret.contains(|character: char| character.is_ascii_digit() || character == '=');
    (length >= 6 && looks_random).then_some(Found { keep: scheme.len(), hide: length })
}

/// `://user:password@`; a user alone may be a token.
fn user_information(rest: &str) -> Option<Found> {
    let authority = rest.strip_prefix("://")?;
    let end =
        authority.find(|character: char| "/?#".contains(character) || is_end(character) && character != ',');
    let authority = authority.get(..end.unwrap_or(authority.len()))?;
    let (information, _) = authority.rsplit_once('@')?;
    let user = information.find(':').map_or(0, |colon| colon + 1);
    Some(Found { keep: "://".len() + user, hide: information.len() - user })
}

/// The query of a URL that is signed by parameters whose names alone say nothing.
fn signed_query(rest: &str) -> Option<Found> {
    let query = rest.strip_prefix('?')?;
    let ends = |character: char| character != '&' && (is_end(character) || "?\\#".contains(character));
    let query = query.get(..query.find(ends).unwrap_or(query.len()))?;
    form::is_signed(query).then_some(Found { keep: 1, hide: query.len() })
}

/// Longest first; `%3D` is `=` in a query inside a query, `%253D` one deeper.
const SEPARATORS: [&str; 6] = ["%253D", "%253d", "%3D", "%3d", "=", ":"];

fn named(redaction: &Redaction, before: &str, rest: &str) -> Option<Found> {
    let separator = SEPARATORS.into_iter().find(|separator| rest.starts_with(separator))?;
    let name = name_at_end(before);
    if name.is_empty() || !redaction.is_secret_name(name) {
        return None;
    }
    let after = rest.get(separator.len()..)?;
    let value = after.trim_start_matches([' ', '\t']);
    let opening = run(value, |character| character == '\\');
    let quote = value.get(opening..)?.chars().next().filter(|character| matches!(character, '"' | '\''));
    let quoted = value.get(..opening + usize::from(quote.is_some()))?;
    let keep = rest.len() - value.len() + if quote.is_some() { quoted.len() } else { 0 };
    let secret = rest.get(keep..).filter(|secret| !secret.starts_with(REDACTED))?;
    let hide = match quote {
        Some(quote) => until_quote(secret, quoted, quote),
        None if is_whole_line(name) && separator == ":" => {
            run(secret, |character| !matches!(character, '\r' | '\n'))
        }
        None if secret.starts_with(['{', '[']) => secret.len(),
        None => until_end(secret),
    };
    let harmless = secret.get(..hide).is_some_and(|value| matches!(value, "true" | "false" | "null"));
    (!harmless).then_some(Found { keep, hide })
}

/// How far back a tag's beginning is looked for, in bytes.
const LONGEST_TAG: usize = 512;

/// `<Password>…`, for XML that is broken elsewhere.
fn element(redaction: &Redaction, before: &str, rest: &str) -> Option<Found> {
    let near = before.len().saturating_sub(LONGEST_TAG);
    let near = (near..before.len()).find_map(|start| before.get(start..))?;
    let (_, tag) = near.rsplit_once('<')?;
    let name = tag.split(char::is_whitespace).next()?;
    let opens = !name.is_empty() && !name.starts_with('/') && !tag.ends_with('/');
    let secret = rest.get(1..)?;
    let found = Found { keep: 1, hide: run(secret, |character| character != '<') };
    (opens && redaction.is_secret_name(name)).then_some(found)
}

/// Headers whose value has words in it.
fn is_whole_line(name: &str) -> bool {
    let name = names::normal(name);
    name.ends_with("authorization") || name.ends_with("cookie")
}

/// The name that `before` ends with, through closing quotes and spaces.
fn name_at_end(before: &str) -> &str {
    let name = before.trim_end_matches(['"', '\'', '\\', ' ']);
    let start = name
        .char_indices()
        .rev()
        .take(128)
        .take_while(|(_, character)| character.is_ascii_alphanumeric() || "-_.[]".contains(*character))
        .last()
        .map_or(name.len(), |(start, _)| start);
    let (outside, name) = name.split_at_checked(start).unwrap_or_default();
    // `%26sig` is the parameter `sig`: the digits belong to the escaped ampersand.
    let escaped = if outside.ends_with('%') && name.starts_with("2526") { 4 } else { 2 };
    if outside.ends_with('%') { name.get(escaped..).unwrap_or_default() } else { name }
}

/// Up to the closing quote, which is escaped as the opening one was.
fn until_quote(secret: &str, opening: &str, quote: char) -> usize {
    if opening.len() > 1 {
        return secret.find(opening).unwrap_or(secret.len());
    }
    let mut escaped = false;
    for (position, character) in secret.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return position,
            _ => {}
        }
    }
    secret.len()
}

fn until_end(secret: &str) -> usize {
    let ends = |(position, character): &(usize, char)| {
        let escaped_ampersand = *character == '%'
            && secret
                .get(*position..)
                .is_some_and(|rest| rest.starts_with("%26") || rest.starts_with("%2526"));
        is_end(*character) || *character == '\\' || escaped_ampersand
    };
    secret.char_indices().find(ends).map_or(secret.len(), |(position, _)| position)
}

/// The length of the beginning whose characters all fit.
fn run(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|character| !fits(character)).unwrap_or(text.len())
}

fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_+/=".contains(character)
}

fn is_end(character: char) -> bool {
    character.is_whitespace() || "&\"'<>,;)]}".contains(character)
}
