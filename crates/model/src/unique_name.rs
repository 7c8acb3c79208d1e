//! Names at a cloud that are made of an asked name and of chance: what is asked for twice is called twice otherwise.

use serde::Serialize;

/// How such a name of one kind is formed at one cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UniqueName {
    /// The most characters.
    pub most: usize,
    /// What stands before the suffix, and for every hyphen and underscore; empty where a cloud's names hold neither.
    pub joint: &'static str,
    /// How many characters are left to chance.
    pub suffix: usize,
}

/// What an asked name gives way to of which nothing can be kept.
const NAMELESS: &str = "pmks";

/// An xid's. Unlike there none of them tells a time: names that are made one after the other differ from the first on.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

impl UniqueName {
    /// As many characters as an xid has.
    pub const SUFFIX: usize = 20;

    /// A name of letters, digits and hyphens, at most so many.
    pub const fn of(most: usize) -> Self {
        Self { most, joint: "-", suffix: Self::SUFFIX }
    }

    /// The asked name in lower case, what no cloud takes left out, cut to what there is room for, and the suffix. It begins
    /// with a letter. It is cut after it was cleaned, so that what is cut off is what is too much.
    pub fn make(&self, asked: &str, chance: &[u8; Self::SUFFIX]) -> String {
        let room = self.most.saturating_sub(self.suffix + self.joint.len());
        let joint = self.joint.chars().next();
        let kept = asked.chars().filter_map(|letter| match letter {
            '-' | '_' => joint,
            _ => Some(letter.to_ascii_lowercase()).filter(char::is_ascii_alphanumeric),
        });
        let begun: String = kept.skip_while(|letter| !letter.is_ascii_lowercase()).take(room).collect();
        let mut name = begun.trim_end_matches(|letter| Some(letter) == joint).to_owned();
        if name.is_empty() {
            name.extend(NAMELESS.chars().take(room));
        }
        name.push_str(self.joint);
        let drawn = chance.iter().take(self.suffix);
        name.extend(
            drawn.filter_map(|byte| ALPHABET.get(usize::from(byte & 31))).map(|one| char::from(*one)),
        );
        name
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    const POOL: UniqueName = UniqueName { most: 12, joint: "", suffix: 5 };

    #[test]
    fn a_name_is_cleaned_then_cut_and_ends_by_chance() {
        let chance = [0, 1, 9, 10, 31, 32, 63, 64, 255, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5];
        for (form, asked, wanted) in [
            (UniqueName::of(40), "Web_01", "web-01-019av0v0v55555555555"),
            (UniqueName::of(40), "a-name-that-is-too-long", "a-name-that-is-too-019av0v0v55555555555"),
            (UniqueName::of(40), "a-name-that-is-too--long", "a-name-that-is-too-019av0v0v55555555555"),
            (UniqueName::of(40), "01.-x/y z", "xyz-019av0v0v55555555555"),
            (UniqueName::of(40), "운영망", "pmks-019av0v0v55555555555"),
            (UniqueName { joint: "_", ..UniqueName::of(40) }, "sg-01", "sg_01_019av0v0v55555555555"),
            // Seven of the cleaned name, not of the asked one, in which the hyphen counts.
            (POOL, "Node-Group-01", "nodegro019av"),
            (POOL, "ng01", "ng01019av"),
            (POOL, "-", "pmks019av"),
        ] {
            assert_eq!(form.make(asked, &chance), wanted, "{asked:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
        })]
        #[test]
        fn a_name_has_letters_and_digits_at_its_ends_and_room(asked in "\\PC{0,60}", chance in any::<[u8; 20]>()) {
            for form in [UniqueName::of(40), UniqueName { joint: "_", ..UniqueName::of(63) }, POOL] {
                let name = form.make(&asked, &chance);
                prop_assert!(name.len() <= form.most && name.len() > form.suffix, "{name}");
                prop_assert!(name.starts_with(|first: char| first.is_ascii_lowercase()), "{name}");
                let fits = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || form.joint.contains(one);
                prop_assert!(name.chars().all(fits), "{name}");
                prop_assert!(name.ends_with(|last: char| last.is_ascii_alphanumeric()), "{name}");
            }
        }
    }
}
