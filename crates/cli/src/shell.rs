//! Words as a shell reads them back: what is printed to be typed in works as it stands, whatever a name holds.

/// A word, quoted where a shell would see more in it than a word.
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02>
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The flag that names a connection: in one word where the name by itself would be read as a flag.
pub(crate) fn connection(name: &str) -> String {
    if name.starts_with('-') {
        format!("--connection={}", quoted(name))
    } else {
        format!("-c {}", quoted(name))
    }
}

/// A name that stands by itself.
pub(crate) fn operand(name: &str) -> String {
    if name.starts_with('-') { format!("-- {}", quoted(name)) } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        for (text, shown) in [
            ("/tmp/a-b.c", "/tmp/a-b.c"),
            ("/tmp/it's mine", r"'/tmp/it'\''s mine'"),
            ("서울", "'서울'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(text), shown);
        }
        assert_eq!(connection("a (b)"), "-c 'a (b)'");
        assert_eq!(connection("--help"), "--connection=--help");
        assert_eq!((operand("-x"), operand("a b")), ("-- -x".to_owned(), "'a b'".to_owned()));
    }

    proptest! {
        #![proptest_config(crate::properties::cases(100))]
        #[test]
        fn a_shell_reads_a_name_back(name in "\\PC{1,12}") {
            let script = format!("printf %s {}", quoted(&name));
            let read = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            prop_assert_eq!(String::from_utf8(read.stdout).unwrap(), name);
        }
    }
}
