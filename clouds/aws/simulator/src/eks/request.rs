//! A request to EKS, taken apart: which call it is, what its path names, its query and its body. Reads only.

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use pmks_simulation::pages;

use super::error::{Error, Result};
use super::state::Tags;

/// Path patterns of the calls; `{}` stands for one segment.
/// Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_Operations.html>.
#[rustfmt::skip]
const ROUTES: [(Method, &str, &str); 39] = [
    (Method::POST, "/clusters", "CreateCluster"),
    (Method::GET, "/clusters", "ListClusters"),
    (Method::GET, "/clusters/{}", "DescribeCluster"),
    (Method::DELETE, "/clusters/{}", "DeleteCluster"),
    (Method::POST, "/clusters/{}/update-config", "UpdateClusterConfig"),
    (Method::POST, "/clusters/{}/updates", "UpdateClusterVersion"),
    (Method::GET, "/clusters/{}/updates", "ListUpdates"),
    (Method::GET, "/clusters/{}/updates/{}", "DescribeUpdate"),
    (Method::POST, "/clusters/{}/insights", "ListInsights"),
    (Method::GET, "/clusters/{}/insights/{}", "DescribeInsight"),
    (Method::GET, "/cluster-versions", "DescribeClusterVersions"),
    (Method::POST, "/clusters/{}/node-groups", "CreateNodegroup"),
    (Method::GET, "/clusters/{}/node-groups", "ListNodegroups"),
    (Method::GET, "/clusters/{}/node-groups/{}", "DescribeNodegroup"),
    (Method::DELETE, "/clusters/{}/node-groups/{}", "DeleteNodegroup"),
    (Method::POST, "/clusters/{}/node-groups/{}/update-config", "UpdateNodegroupConfig"),
    (Method::POST, "/clusters/{}/node-groups/{}/update-version", "UpdateNodegroupVersion"),
    (Method::POST, "/clusters/{}/fargate-profiles", "CreateFargateProfile"),
    (Method::GET, "/clusters/{}/fargate-profiles", "ListFargateProfiles"),
    (Method::GET, "/clusters/{}/fargate-profiles/{}", "DescribeFargateProfile"),
    (Method::DELETE, "/clusters/{}/fargate-profiles/{}", "DeleteFargateProfile"),
    (Method::POST, "/clusters/{}/addons", "CreateAddon"),
    (Method::GET, "/clusters/{}/addons", "ListAddons"),
    (Method::GET, "/clusters/{}/addons/{}", "DescribeAddon"),
    (Method::DELETE, "/clusters/{}/addons/{}", "DeleteAddon"),
    (Method::POST, "/clusters/{}/addons/{}/update", "UpdateAddon"),
    (Method::GET, "/addons/supported-versions", "DescribeAddonVersions"),
    (Method::POST, "/clusters/{}/access-entries", "CreateAccessEntry"),
    (Method::GET, "/clusters/{}/access-entries", "ListAccessEntries"),
    (Method::GET, "/clusters/{}/access-entries/{}", "DescribeAccessEntry"),
    (Method::DELETE, "/clusters/{}/access-entries/{}", "DeleteAccessEntry"),
    (Method::POST, "/clusters/{}/access-entries/{}", "UpdateAccessEntry"),
    (Method::POST, "/clusters/{}/access-entries/{}/access-policies", "AssociateAccessPolicy"),
    (Method::GET, "/clusters/{}/access-entries/{}/access-policies", "ListAssociatedAccessPolicies"),
    (Method::DELETE, "/clusters/{}/access-entries/{}/access-policies/{}", "DisassociateAccessPolicy"),
    (Method::GET, "/access-policies", "ListAccessPolicies"),
    (Method::POST, "/tags/{}", "TagResource"),
    (Method::DELETE, "/tags/{}", "UntagResource"),
    (Method::GET, "/tags/{}", "ListTagsForResource"),
];

/// The call that a method and path mean, with what the path names (decoded). `None`: EKS has no such route.
pub(crate) fn route(method: &Method, path: &str) -> Option<(&'static str, Vec<String>)> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    ROUTES.iter().filter(|(wanted, ..)| wanted == method).find_map(|(_, pattern, action)| {
        let pattern: Vec<&str> = pattern.trim_matches('/').split('/').collect();
        let fits = pattern.len() == segments.len()
            && pattern
                .iter()
                .zip(&segments)
                .all(|(wanted, found)| if *wanted == "{}" { !found.is_empty() } else { wanted == found });
        let named = || pattern.iter().zip(&segments).filter(|(wanted, _)| **wanted == "{}");
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        fits.then(|| (*action, named().map(|(_, found)| decode(found)).collect()))
    })
}

/// One request, taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    names: Vec<String>,
    query: Vec<(String, String)>,
    body: Map<String, Value>,
}

impl Request {
    /// Takes a request apart.
    ///
    /// # Errors
    /// `InvalidParameterException` where the body is not a JSON object.
    pub(crate) fn read(names: Vec<String>, query: &str, body: &[u8]) -> Result<Self> {
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let body = match body {
            [] => Map::new(),
            bytes => serde_json::from_slice(bytes)
                .map_err(|_| Error::parameter("The request body is not a valid JSON object."))?,
        };
        Ok(Self { names, query, body })
    }

    /// The nth thing that the path names.
    pub(crate) fn name(&self, at: usize) -> &str {
        self.names.get(at).map_or("", String::as_str)
    }

    /// A query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a query parameter that may come more than once.
    pub(crate) fn queries(&self, name: &str) -> Vec<String> {
        self.query.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
    }

    /// The whole body.
    pub(crate) fn body(&self) -> Fields<'_> {
        Fields { members: &self.body }
    }

    /// The client's token.
    pub(crate) fn token(&self) -> Result<Option<String>> {
        self.body().text("clientRequestToken")
    }

    /// The body without the token: what must be the same when a token comes again.
    pub(crate) fn essence(&self) -> Value {
        let mut body = self.body.clone();
        body.remove("clientRequestToken");
        Value::Object(body)
    }
}

/// The members of a JSON object, read with their types.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    members: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The members of a value that must be an object.
    pub(crate) fn of(name: &str, value: &'a Value) -> Result<Self> {
        value.as_object().map(|members| Self { members }).ok_or_else(|| wrong_type(name, "an object"))
    }

    /// A member as it is; `null` counts as absent.
    pub(crate) fn get(self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(crate) fn text(self, name: &str) -> Result<Option<String>> {
        let read =
            |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| wrong_type(name, "a string"));
        self.get(name).map(read).transpose()
    }

    /// A text that must be there.
    pub(crate) fn required_text(self, name: &str) -> Result<String> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Error::parameter(format!("{name} is required.")))
    }

    /// A truth value.
    pub(crate) fn truth(self, name: &str) -> Result<Option<bool>> {
        self.get(name).map(|value| value.as_bool().ok_or_else(|| wrong_type(name, "a boolean"))).transpose()
    }

    /// A whole number.
    pub(crate) fn number(self, name: &str) -> Result<Option<i64>> {
        self.get(name).map(|value| value.as_i64().ok_or_else(|| wrong_type(name, "an integer"))).transpose()
    }

    /// A list of texts; empty where it is absent.
    pub(crate) fn texts(self, name: &str) -> Result<Vec<String>> {
        self.list(name)?
            .iter()
            .map(|value| {
                value.as_str().map(str::to_owned).ok_or_else(|| wrong_type(name, "a list of strings"))
            })
            .collect()
    }

    /// A list; empty where it is absent.
    pub(crate) fn list(self, name: &str) -> Result<&'a [Value]> {
        match self.get(name) {
            None => Ok(&[]),
            Some(value) => value.as_array().map(Vec::as_slice).ok_or_else(|| wrong_type(name, "a list")),
        }
    }

    /// A map of texts; empty where it is absent.
    pub(crate) fn map(self, name: &str) -> Result<Tags> {
        let Some(value) = self.get(name) else { return Ok(Tags::new()) };
        let members = value.as_object().ok_or_else(|| wrong_type(name, "a map"))?;
        members
            .iter()
            .map(|(key, value)| {
                let text = value.as_str().ok_or_else(|| wrong_type(name, "a map of strings"))?;
                Ok((key.clone(), text.to_owned()))
            })
            .collect()
    }

    /// An object within.
    pub(crate) fn object(self, name: &str) -> Result<Option<Fields<'a>>> {
        self.get(name).map(|value| Fields::of(name, value)).transpose()
    }
}

fn wrong_type(name: &str, wanted: &str) -> Error {
    Error::parameter(format!("{name} must be {wanted}."))
}

/// One page of `items`, each with the key that orders it, and the token of the next page.
///
/// # Errors
/// `InvalidParameterException` for a number of results that is out of range and for a foreign token.
pub(crate) fn page<T>(
    items: Vec<(String, T)>,
    max_results: Option<&str>,
    next_token: Option<&str>,
) -> Result<(Vec<T>, Option<String>)> {
    let size = match max_results {
        None => 100,
        Some(text) => {
            text.parse::<usize>().ok().filter(|size| (1..=100).contains(size)).ok_or_else(|| {
                Error::parameter("maxResults needs to be 1 or greater and less than or equal to 100.")
            })?
        }
    };
    pages::page(items, size, next_token).map_err(|_| Error::parameter("Invalid nextToken."))
}

/// [`page`] of names, as the query asks for it, in an object whose list has this name.
pub(crate) fn page_of_names<'a>(
    request: &Request,
    list: &str,
    names: impl Iterator<Item = &'a String>,
) -> Result<Value> {
    let items = names.map(|name| (name.clone(), Value::from(name.clone()))).collect();
    page_of(request, list, items)
}

/// [`page`] of values, as the query asks for it, in an object whose list has this name.
pub(crate) fn page_of(request: &Request, list: &str, items: Vec<(String, Value)>) -> Result<Value> {
    let (shown, next) = page(items, request.query("maxResults"), request.query("nextToken"))?;
    Ok(json!({list: shown, "nextToken": next}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_the_call_and_what_it_names() {
        let encoded = "/clusters/one/access-entries/arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fnode";
        let (action, names) = route(&Method::GET, encoded).unwrap();
        assert_eq!(action, "DescribeAccessEntry");
        assert_eq!(names, ["one", "arn:aws:iam::111122223333:role/node"]);
        assert_eq!(route(&Method::POST, "/clusters/one/updates").unwrap().0, "UpdateClusterVersion");
        assert_eq!(route(&Method::GET, "/clusters/one/updates").unwrap().0, "ListUpdates");
        assert!(route(&Method::PUT, "/clusters").is_none());
        assert!(route(&Method::GET, "/clusters//node-groups").is_none());
        assert!(route(&Method::GET, "/").is_none());
    }

    #[test]
    fn pages_join_to_the_whole() {
        let names: Vec<(String, u32)> = (0..250).map(|number| (format!("{number:03}"), number)).collect();
        let mut seen = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let (shown, next) = page(names.clone(), Some("100"), token.as_deref()).unwrap();
            seen.extend(shown);
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, (0..250).collect::<Vec<u32>>());
        assert_eq!(page(names.clone(), None, None).unwrap().0.len(), 100);
        for wrong in ["0", "101", "-1", "many"] {
            assert!(page(names.clone(), Some(wrong), None).is_err());
        }
        assert!(page(names, None, Some("mine")).is_err());
    }

    #[test]
    fn types_are_checked() {
        let request =
            Request::read(vec![], "a=1&a=2", br#"{"name": 1, "tags": {"a": 1}, "on": "yes"}"#).unwrap();
        assert_eq!(request.queries("a"), ["1", "2"]);
        assert!(request.body().text("name").is_err());
        assert!(request.body().map("tags").is_err());
        assert!(request.body().truth("on").is_err());
        assert_eq!(request.body().text("absent").unwrap(), None);
        assert!(Request::read(vec![], "", b"[1]").is_err());
        assert!(Request::read(vec![], "", b"{").is_err());
    }
}
