//! Tags by the one rule of Azure's that the capabilities do not say: it knows no case in their keys. Pure.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#tag-usage-and-recommendations>

use pmks_model::Findings;

/// Finds keys that are one and the same to Azure: of their values it would keep one.
pub(super) fn check<'a>(keys: impl IntoIterator<Item = &'a String>, findings: &mut Findings) {
    let mut seen: Vec<&String> = Vec::new();
    for key in keys {
        match seen.iter().find(|other| other.to_lowercase() == key.to_lowercase()) {
            Some(other) => {
                let says = format!("is the same key as {other:?}: Azure knows no case in them");
                findings.add(format!("tags[{key:?}]"), says);
            }
            None => seen.push(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_differ_in_case_alone_are_one() {
        let seen = |keys: &[&str]| {
            let (keys, mut findings) =
                (keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>(), Findings::default());
            check(&keys, &mut findings);
            findings.iter().map(|finding| finding.field.clone()).collect::<Vec<_>>()
        };
        assert!(seen(&["dup", "duo", "d u p"]).is_empty());
        assert_eq!(seen(&["DUP", "dup"]), ["tags[\"dup\"]"]);
        assert_eq!(seen(&["a", "É", "A", "é"]), ["tags[\"A\"]", "tags[\"é\"]"]);
    }
}
