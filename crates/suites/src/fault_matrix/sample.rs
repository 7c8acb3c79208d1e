//! Which cases are tried, unless all are: some ways in each scene, each at one call, so that the scenes of a cloud meet
//! every way, and each way several calls.

use std::collections::BTreeMap;

use super::ways::Case;

/// How many ways are tried in a scene.
const WAYS: usize = 11;

/// The cases of the scene with that number. The next scene goes on with the ways after these, and with other calls.
pub(super) fn sample(all: &[Case], scene: usize) -> Vec<Case> {
    let mut ways: BTreeMap<&'static str, Vec<&Case>> = BTreeMap::new();
    for case in all {
        ways.entry(case.way).or_default().push(case);
    }
    let count = ways.len();
    let ways: Vec<Vec<&Case>> = ways.into_values().collect();
    let places = (0..WAYS.min(count)).map(|place| scene * WAYS + place);
    let chosen = places.filter_map(|place| {
        let cases = ways.get(place % count)?;
        cases.get(place / count % cases.len()).copied().cloned()
    });
    chosen.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// As many ways and calls as a scene usually has; the second call knows some ways less.
    fn cases() -> Vec<Case> {
        let ways =
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s"];
        let of = |action: &str, ways: &[&'static str]| -> Vec<Case> {
            ways.iter().map(|way| Case::named(action, way)).collect()
        };
        [of("first", &ways), of("second", &ways[..9]), of("third", &ways)].concat()
    }

    #[test]
    fn the_scenes_of_a_cloud_meet_every_way_at_several_calls() {
        let all = cases();
        let mut met: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for scene in 0..18 {
            let chosen = sample(&all, scene);
            assert_eq!(chosen.len(), WAYS);
            for case in chosen {
                met.entry(case.way).or_default().insert(case.action);
            }
        }
        assert_eq!(met.len(), 19);
        assert!(met.values().all(|calls| calls.len() > 1), "{met:?}");
    }

    #[test]
    fn a_scene_with_few_ways_tries_each_once() {
        let all = vec![Case::named("one", "a"), Case::named("two", "a"), Case::named("one", "b")];
        assert_eq!(sample(&all, 3).len(), 2);
        assert!(sample(&[], 3).is_empty());
    }
}
