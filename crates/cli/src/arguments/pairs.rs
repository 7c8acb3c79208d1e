//! Values written as `key=value,key=value`, as node groups, subnets and rules are.

use std::str::FromStr;

use pmks_api::NewSubnet;

use super::bodies::{NodeGroupBody, RuleBody, scaling};
use super::number::Number;

/// The pairs of one argument; each key once, unknown keys refused.
struct Pairs<'a> {
    known: &'a [&'a str],
    given: Vec<(&'a str, &'a str)>,
}

impl<'a> Pairs<'a> {
    fn read(text: &'a str, known: &'a [&'a str]) -> Result<Self, String> {
        let mut given: Vec<(&str, &str)> = Vec::new();
        for pair in text.split(',').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| format!("{pair:?} is not KEY=VALUE"))?;
            if !known.contains(&key) {
                return Err(format!("unknown key {key:?}; known are {}", known.join(", ")));
            }
            if given.iter().any(|(before, _)| *before == key) {
                return Err(format!("{key} is given twice"));
            }
            given.push((key, value));
        }
        Ok(Self { known, given })
    }

    fn text(&self, key: &str) -> String {
        debug_assert!(self.known.contains(&key));
        self.given
            .iter()
            .find(|(given, _)| *given == key)
            .map(|(_, value)| (*value).to_owned())
            .unwrap_or_default()
    }

    fn number(&self, key: &str) -> Option<Number> {
        let value = self.text(key);
        if value.is_empty() { None } else { value.parse().ok() }
    }
}

/// `name=…,machine-type=…,min=1,max=3,desired=2,…`
#[derive(Clone, Debug)]
pub(crate) struct NodeGroupPairs(pub(crate) NodeGroupBody);

impl FromStr for NodeGroupPairs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const KEYS: &[&str] = &[
            "name",
            "machine-type",
            "image",
            "root-disk-type",
            "root-disk-size-gib",
            "key-pair",
            "version",
            "min",
            "max",
            "desired",
            "auto-scaling",
        ];
        let pairs = Pairs::read(text, KEYS)?;
        let auto_scaling = match pairs.text("auto-scaling").as_str() {
            "" | "false" => false,
            "true" => true,
            other => return Err(format!("auto-scaling={other} is neither true nor false")),
        };
        let number = |key: &str| pairs.number(key);
        let scaling = scaling(auto_scaling, number("min"), number("max"), number("desired"));
        Ok(Self(NodeGroupBody {
            name: pairs.text("name"),
            unique_cloud_name: None,
            version: pairs.text("version"),
            machine_type: pairs.text("machine-type"),
            image: pairs.text("image"),
            root_disk_type: pairs.text("root-disk-type"),
            root_disk_size_gib: number("root-disk-size-gib"),
            key_pair: pairs.text("key-pair"),
            scaling,
        }))
    }
}

/// `name=…,cidr=…,zone=…`
#[derive(Clone, Debug)]
pub(crate) struct SubnetPairs(pub(crate) NewSubnet);

impl FromStr for SubnetPairs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pairs = Pairs::read(text, &["name", "cidr", "zone"])?;
        let (name, cidr, zone) = (pairs.text("name"), pairs.text("cidr"), pairs.text("zone"));
        Ok(Self(NewSubnet { name, cidr, zone, ..NewSubnet::default() }))
    }
}

/// `direction=inbound,protocol=tcp,from-port=22,to-port=22,cidr=…`
#[derive(Clone, Debug)]
pub(crate) struct RulePairs(pub(crate) RuleBody);

impl FromStr for RulePairs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pairs = Pairs::read(text, &["direction", "protocol", "from-port", "to-port", "cidr"])?;
        Ok(Self(RuleBody {
            direction: pairs.text("direction"),
            protocol: pairs.text("protocol"),
            from_port: pairs.number("from-port"),
            to_port: pairs.number("to-port"),
            cidr: pairs.text("cidr"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_node_group_is_read_with_all_its_keys() {
        let text = "name=w,machine-type=m5.large,image=AL2023_x86_64_STANDARD,root-disk-type=gp3,root-disk-size-gib=50,\
                    key-pair=k,version=1.31,min=1,max=3,desired=2,auto-scaling=true";
        let NodeGroupPairs(group) = text.parse().unwrap();
        let wanted = serde_json::json!({
            "name": "w", "machineType": "m5.large", "image": "AL2023_x86_64_STANDARD", "rootDiskType": "gp3",
            "rootDiskSizeGib": 50, "keyPair": "k", "version": "1.31",
            "scaling": {"autoScaling": true, "min": 1, "max": 3, "desired": 2},
        });
        assert_eq!(serde_json::to_value(group).unwrap(), wanted);
    }

    #[test]
    fn one_number_is_that_many_nodes() {
        for (text, scaling) in [
            ("name=a,auto-scaling=true", ["1", "1", "1"]),
            ("name=a,desired=3", ["3", "3", "3"]),
            ("name=a,min=2", ["2", "2", "2"]),
            ("name=a,max=4", ["4", "4", "4"]),
            ("name=a,min=0,max=2", ["0", "2", "0"]),
            ("name=a,min=2,desired=0", ["2", "2", "0"]),
            // Whether they are numbers is said together with whatever else is wrong.
            ("name=a,desired=many,min=-1", ["-1", "many", "many"]),
        ] {
            let NodeGroupPairs(group) = text.parse().unwrap();
            let wanted = scaling.map(|text| text.parse::<Number>().unwrap());
            let scaling = group.scaling.unwrap();
            assert_eq!([scaling.min, scaling.max, scaling.desired], wanted, "{text}");
        }
        let NodeGroupPairs(unsaid) = "name=a,auto-scaling=false".parse().unwrap();
        assert_eq!(serde_json::to_value(unsaid).unwrap(), serde_json::json!({"name": "a"}));
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for (text, says) in [
            ("name", "\"name\" is not KEY=VALUE"),
            ("color=red", "unknown key \"color\""),
            ("name=a,name=b", "name is given twice"),
            ("name=a,auto-scaling=yes", "neither true nor false"),
        ] {
            let error = text.parse::<NodeGroupPairs>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    proptest! {
        #![proptest_config(crate::properties::cases(500))]
        #[test]
        fn whatever_is_written_is_read_or_refused_in_a_line(
            text in "((name|cidr|zone|min|max|desired|direction|from-port|auto-scaling|\\PC{0,4})(=|)(-?[0-9.e]{0,24}|true|\\PC{0,8}),?){0,5}",
        ) {
            let refused = [
                text.parse::<NodeGroupPairs>().err(),
                text.parse::<SubnetPairs>().err(),
                text.parse::<RulePairs>().err(),
            ];
            for says in refused.into_iter().flatten() {
                prop_assert!(!says.is_empty() && !says.contains('\n'), "{}", says);
            }
            if let Ok(NodeGroupPairs(group)) = text.parse() {
                let written = serde_json::to_string(&group).unwrap();
                let again: NodeGroupBody = serde_json::from_str(&written).unwrap();
                prop_assert_eq!(serde_json::to_string(&again).unwrap(), written);
            }
        }
    }
}
