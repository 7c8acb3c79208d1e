//! Our marks on what has no labels: networks, subnetworks and firewall rules carry them in their description, key pairs
//! in what is written of them. Reads give them as tags. Pure.

use pmks_driver::Marks;
use pmks_model::Tags;

/// What a description begins with that is ours.
const HEAD: &str = "Made by pmks.";

/// The description of something of ours.
pub(crate) fn describe(marks: &Marks) -> String {
    let tags = marks.onto(&Tags::new());
    let pairs: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{HEAD} {}", pairs.join(" "))
}

/// The marks in a description; none where it is not ours.
pub(crate) fn tags_of(description: &str) -> Tags {
    let Some(rest) = description.strip_prefix(HEAD) else { return Tags::new() };
    let pairs = rest.split_whitespace().filter_map(|pair| pair.split_once('='));
    let ours = pairs.filter(|(key, _)| Marks::KEYS.contains(key));
    ours.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Whether a description carries these marks.
pub(crate) fn are_in(marks: &Marks, description: &str) -> bool {
    marks.are_on(&tags_of(description))
}

/// Whether this installation made it.
pub(crate) fn is_made_here(marks: &Marks, description: &str) -> bool {
    installation_of(description).as_ref() == Some(&marks.installation)
}

/// The installation of pmks that made it; `None`: none did.
pub(crate) fn installation_of(description: &str) -> Option<String> {
    let [installation, ..] = Marks::KEYS;
    tags_of(description).remove(installation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(operation: &str) -> Marks {
        Marks { installation: "i".into(), operation: operation.into(), uid: "u".into() }
    }

    #[test]
    fn a_description_gives_back_what_was_written() {
        let text = describe(&marks("o"));
        assert_eq!(text, "Made by pmks. pmks-installation=i pmks-operation=o pmks-uid=u");
        assert!(are_in(&marks("o"), &text));
        assert!(!are_in(&marks("p"), &text));
        assert!(is_made_here(&marks("p"), &text));
        for strange in ["", "my network", "pmks-uid=u", "Made by pmks. color=red"] {
            assert!(tags_of(strange).is_empty(), "{strange}");
        }
    }
}
