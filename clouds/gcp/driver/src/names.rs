//! The names by which Google's APIs call things, read and written. Pure.

use pmks_driver::{DriverError, ErrorKind, Result};

use crate::PROVIDER;

/// A cluster of a project, in a zone or a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClusterName {
    pub(crate) project: String,
    pub(crate) location: String,
    pub(crate) name: String,
}

impl ClusterName {
    /// `projects/P/locations/L/clusters/C`, or a name alone, looked for in `here`.
    ///
    /// # Errors
    /// `NotFound` for a text that can name no cluster of this project.
    pub(crate) fn read(text: &str, project: &str, here: &str) -> Result<Self> {
        let own = |location: &str, name: &str| Self {
            project: project.to_owned(),
            location: location.to_owned(),
            name: name.to_owned(),
        };
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            ["projects", of, "locations" | "zones", location, "clusters", name]
                if *of == project && is_plain(location) && is_plain(name) =>
            {
                Ok(own(location, name))
            }
            [name] if is_plain(name) => Ok(own(here, name)),
            _ => Err(nothing("cluster", text)),
        }
    }

    /// The whole name.
    pub(crate) fn path(&self) -> String {
        format!("projects/{}/locations/{}/clusters/{}", self.project, self.location, self.name)
    }
}

/// A network or a subnetwork: of the connection's own project by its name alone, of another, which shares it, with
/// its project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) project: String,
    pub(crate) name: String,
}

impl Shared {
    /// A name, `projects/P/global/networks/N`, `projects/P/regions/R/subnetworks/N`, or a URL that ends so.
    ///
    /// # Errors
    /// `NotFound` for a text that can name none.
    pub(crate) fn read(what: &str, text: &str, project: &str) -> Result<Self> {
        let path = text.find("/projects/").and_then(|at| text.get(at + 1..)).unwrap_or(text);
        let parts: Vec<&str> = path.split('/').collect();
        let (of, name) = match parts.as_slice() {
            ["projects", of, "global", "networks", name]
            | ["projects", of, "regions", _, "subnetworks", name] => (*of, *name),
            [name] => (project, *name),
            _ => return Err(nothing(what, text)),
        };
        if !is_plain(name) || !is_project(of) {
            return Err(nothing(what, text));
        }
        Ok(Self { project: of.to_owned(), name: name.to_owned() })
    }

    /// How a network is called in the connection's project.
    pub(crate) fn network(&self, project: &str) -> String {
        if self.project == project { self.name.clone() } else { self.network_path() }
    }

    /// How a subnetwork is called in the connection's project and region.
    pub(crate) fn subnetwork(&self, project: &str, region: &str) -> String {
        if self.project == project {
            self.name.clone()
        } else {
            format!("projects/{}/regions/{region}/subnetworks/{}", self.project, self.name)
        }
    }

    /// The network's whole name.
    pub(crate) fn network_path(&self) -> String {
        format!("projects/{}/global/networks/{}", self.project, self.name)
    }
}

/// What stands in a zone or region of the connection's project: `zones/Z/instances/N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed<'a> {
    /// `zones`, `regions`, or `global`.
    pub(crate) scope: &'a str,
    /// The zone or region; empty where it is global.
    pub(crate) place: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> Placed<'a> {
    /// `zones/Z/kind/N`, `regions/R/kind/N`, `global/kind/N`, or a URL or path that ends so.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let mut back = text.rsplit('/');
        let (name, _kind, place) = (back.next()?, back.next()?, back.next()?);
        let placed = match (place, back.next()) {
            ("global", _) => Self { scope: "global", place: "", name },
            (_, Some(scope @ ("zones" | "regions"))) => Self { scope, place, name },
            _ => return None,
        };
        let plain = is_plain(name) && (placed.place.is_empty() || is_plain(placed.place));
        plain.then_some(placed)
    }
}

/// The last part of a URL or path.
pub(crate) fn last(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

/// The region that a location is, or lies in: of `asia-northeast3-a` `asia-northeast3`.
pub(crate) fn region_of(location: &str) -> &str {
    match location.rsplit_once('-') {
        Some((region, zone)) if zone.len() == 1 && zone.bytes().all(|byte| byte.is_ascii_lowercase()) => {
            region
        }
        _ => location,
    }
}

/// What Google's names are made of: nothing that could mean another path.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(plain)
}

/// Whether this may be the id of a project. Those of old organizations begin with a domain.
///
/// Source: <https://cloud.google.com/resource-manager/docs/creating-managing-projects>
pub(crate) fn is_project(text: &str) -> bool {
    let id = match text.split_once(':') {
        None => text,
        Some((domain, id)) => {
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
            if domain.is_empty() || !domain.bytes().all(plain) || domain.contains("..") {
                return false;
            }
            id
        }
    };
    is_plain(id)
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && !id.ends_with('-')
        && id.len() <= 63
}

/// Whether that can be the address of an account.
pub(crate) fn is_address(text: &str) -> bool {
    text.contains('@') && !text.contains(['/', ':', ' '])
}

fn nothing(what: &str, text: &str) -> DriverError {
    let shown: String = text.chars().take(100).collect();
    DriverError::new(ErrorKind::NotFound, PROVIDER, format!("{shown:?} names no {what} of this project"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_a_path_or_a_name_here() {
        let read = |text: &str| ClusterName::read(text, "proj", "r1-a").map(|name| name.path());
        assert_eq!(read("c1").unwrap(), "projects/proj/locations/r1-a/clusters/c1");
        assert_eq!(
            read("projects/proj/locations/r1/clusters/c1").unwrap(),
            "projects/proj/locations/r1/clusters/c1"
        );
        assert_eq!(
            read("projects/proj/zones/r1-b/clusters/c1").unwrap(),
            "projects/proj/locations/r1-b/clusters/c1"
        );
        for text in [
            "",
            "..",
            "a/b",
            "projects/other/locations/r1/clusters/c1",
            "projects/proj/locations/-/x/c1",
            "projects/proj/locations/../clusters/c1",
            "C1",
            "a%2fb",
            "한국",
        ] {
            assert!(read(text).unwrap_err().is_not_found(), "{text}");
        }
    }

    #[test]
    fn a_shared_network_keeps_its_project() {
        let network = |text: &str| Shared::read("network", text, "proj").map(|found| found.network("proj"));
        assert_eq!(network("net").unwrap(), "net");
        assert_eq!(
            network("https://www.googleapis.com/compute/v1/projects/proj/global/networks/net").unwrap(),
            "net"
        );
        assert_eq!(
            network("projects/host/global/networks/net").unwrap(),
            "projects/host/global/networks/net"
        );
        assert!(network("projects/host/global/firewalls/net").is_err());
        assert!(network("../../x").is_err());
        let subnetwork = Shared::read("subnet", "projects/host/regions/r1/subnetworks/s", "proj").unwrap();
        assert_eq!(subnetwork.subnetwork("proj", "r1"), "projects/host/regions/r1/subnetworks/s");
        assert_eq!(Shared::read("subnet", "s", "proj").unwrap().subnetwork("proj", "r1"), "s");
    }

    #[test]
    fn places_are_read_from_the_end() {
        let read = |text: &'static str| Placed::read(text).map(|at| (at.scope, at.place, at.name));
        let url =
            "https://www.googleapis.com/compute/v1/projects/p/zones/r1-a/instanceGroupManagers/gke-c-grp";
        assert_eq!(read(url), Some(("zones", "r1-a", "gke-c-grp")));
        assert_eq!(read("projects/p/global/forwardingRules/f"), Some(("global", "", "f")));
        assert_eq!(read("regions/r1/forwardingRules/f"), Some(("regions", "r1", "f")));
        assert_eq!(read("zones/../disks/d"), None);
        assert_eq!(read("d"), None);
    }

    #[test]
    fn locations_lie_in_regions() {
        for (location, region) in [
            ("asia-northeast3-a", "asia-northeast3"),
            ("asia-northeast3", "asia-northeast3"),
            ("us-east10", "us-east10"),
        ] {
            assert_eq!(region_of(location), region);
        }
    }

    #[test]
    fn projects_are_told_by_their_form() {
        for fine in ["proj", "my-project-1", "example.com:proj"] {
            assert!(is_project(fine), "{fine}");
        }
        for refused in ["", "123", "Proj", "a/b", "..", ":a", "a..b:c", "proj-"] {
            assert!(!is_project(refused), "{refused}");
        }
    }
}
