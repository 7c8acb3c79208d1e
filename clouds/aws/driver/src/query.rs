//! The Query protocol of EC2, IAM, Auto Scaling, STS, Elastic Load Balancing and `CloudWatch`: a form as request, XML as answer.
//! Builds and reads; sends nothing, and decides nothing about errors.
//!
//! Sources: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html> and
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::collections::BTreeMap;

use pmks_transport::Effect;
use quick_xml::events::Event;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The services that speak it. The classic and the newer balancers share a name and differ by version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryService {
    Ec2,
    Iam,
    AutoScaling,
    Sts,
    ClassicBalancing,
    Balancing,
    CloudWatch,
}

impl QueryService {
    /// The name in signatures, endpoints and action names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::AutoScaling => "autoscaling",
            Self::Sts => "sts",
            Self::ClassicBalancing | Self::Balancing => "elasticloadbalancing",
            Self::CloudWatch => "monitoring",
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Ec2 => "2016-11-15",
            Self::Iam => "2010-05-08",
            Self::AutoScaling => "2011-01-01",
            Self::Sts => "2011-06-15",
            Self::ClassicBalancing => "2012-06-01",
            Self::Balancing => "2015-12-01",
            Self::CloudWatch => "2010-08-01",
        }
    }

    /// EC2 writes lists flat (`SubnetId.1`) and answers without a result element.
    fn is_ec2(self) -> bool {
        self == Self::Ec2
    }
}

/// One request of the Query protocol.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) service: QueryService,
    /// Our name of the call: `ec2.DescribeVpcs`.
    pub(crate) action: &'static str,
    pub(crate) effect: Effect,
    fields: Vec<(String, String)>,
}

impl Query {
    /// A request of the action behind the point of `action` (`ec2.DescribeVpcs`).
    pub(crate) fn new(service: QueryService, action: &'static str, effect: Effect) -> Self {
        let name = action.rsplit('.').next().unwrap_or(action);
        let fields = vec![
            ("Action".to_owned(), name.to_owned()),
            ("Version".to_owned(), service.version().to_owned()),
        ];
        Self { service, action, effect, fields }
    }

    /// Adds a field.
    #[must_use]
    pub(crate) fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds a field if there is a value.
    #[must_use]
    pub(crate) fn field_some(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// Adds a list: `SubnetId.1` at EC2, `InstanceIds.member.1` elsewhere.
    #[must_use]
    pub(crate) fn list<V: Into<String>>(mut self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        for (index, value) in values.into_iter().enumerate() {
            let field = self.entry(name, index + 1);
            self.fields.push((field, value.into()));
        }
        self
    }

    /// Adds a list of records: `Tags.member.1.Key`, or `Filter.1.Name` at EC2.
    #[must_use]
    pub(crate) fn records(mut self, name: &str, records: &[Vec<(&str, String)>]) -> Self {
        for (index, record) in records.iter().enumerate() {
            let entry = self.entry(name, index + 1);
            for (field, value) in record {
                self.fields.push((format!("{entry}.{field}"), value.clone()));
            }
        }
        self
    }

    /// Adds EC2's filters: each a name, and the values of which one must match. Call it once.
    #[must_use]
    pub(crate) fn filters(mut self, filters: &[(&str, Vec<String>)]) -> Self {
        for (index, (name, values)) in filters.iter().enumerate() {
            let entry = format!("Filter.{}", index + 1);
            self.fields.push((format!("{entry}.Name"), (*name).to_owned()));
            for (place, value) in values.iter().enumerate() {
                self.fields.push((format!("{entry}.Value.{}", place + 1), value.clone()));
            }
        }
        self
    }

    /// Adds EC2's tags at creation for one kind of resource (`vpc`, `subnet`, …).
    #[must_use]
    pub(crate) fn tag_specification(mut self, kind: &str, tags: &BTreeMap<String, String>) -> Self {
        if tags.is_empty() {
            return self;
        }
        self = self.field("TagSpecification.1.ResourceType", kind);
        for (index, (key, value)) in tags.iter().enumerate() {
            let entry = format!("TagSpecification.1.Tag.{}", index + 1);
            self = self.field(format!("{entry}.Key"), key).field(format!("{entry}.Value"), value);
        }
        self
    }

    /// The form's fields.
    pub(crate) fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    fn entry(&self, name: &str, number: usize) -> String {
        if self.service.is_ec2() { format!("{name}.{number}") } else { format!("{name}.member.{number}") }
    }
}

/// A list as it stands in the XML: `<item>` at EC2, `<member>` elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct List<T> {
    #[serde(default = "Vec::new", alias = "item", rename = "member")]
    pub(crate) entries: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

/// A tag as EC2 (`key`) and the others (`Key`) write it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Tag {
    #[serde(default, alias = "key", rename = "Key")]
    pub(crate) key: String,
    #[serde(default, alias = "value", rename = "Value")]
    pub(crate) value: String,
}

impl List<Tag> {
    /// The tags by key.
    pub(crate) fn to_tags(&self) -> BTreeMap<String, String> {
        self.entries.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
    }
}

/// Reads an answer: the whole document at EC2, the inside of `<…Result>` elsewhere. An answer without a result
/// element reads as an empty one.
///
/// # Errors
/// Why the text cannot be read.
pub(crate) fn read<T: DeserializeOwned>(service: QueryService, xml: &str) -> Result<T, quick_xml::DeError> {
    if is_hollow(xml) {
        return Err(serde::de::Error::custom("the answer holds nothing"));
    }
    if service.is_ec2() {
        return quick_xml::de::from_str(xml);
    }
    match result_element(xml)? {
        Some(element) => quick_xml::de::from_str(element),
        None => quick_xml::de::from_str("<Result/>"),
    }
}

/// The lists in EC2's descriptions of VPCs, subnets, security groups and key pairs. No other element there is called so.
///
/// Source: botocore's model of EC2, <https://github.com/boto/botocore/tree/develop/botocore/data/ec2/2016-11-15>
const LISTS: [&str; 13] = [
    "cidrBlockAssociationSet",
    "groups",
    "ipPermissions",
    "ipPermissionsEgress",
    "ipRanges",
    "ipv6CidrBlockAssociationSet",
    "ipv6Ranges",
    "keySet",
    "prefixListIds",
    "securityGroupInfo",
    "subnetSet",
    "tagSet",
    "vpcSet",
];

/// An answer as JSON: elements are members, lists of `item` or `member` are lists, texts stay texts. Of EC2 the whole
/// document, elsewhere what stands in its root.
///
/// # Errors
/// Why the text cannot be read.
pub(crate) fn to_json(xml: &str) -> Result<Value, quick_xml::Error> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event()? {
            Event::Start(start) => open.push(Element::named(start.local_name().as_ref())),
            Event::Empty(empty) => {
                let done = Element::named(empty.local_name().as_ref());
                if let Some(around) = open.last_mut() {
                    around.add(done);
                }
            }
            Event::Text(text) => {
                if let Some(inner) = open.last_mut() {
                    inner.text.push_str(&text.into_inner());
                }
            }
            Event::GeneralRef(reference) => {
                let letter = reference.resolve_char_ref()?.map(String::from);
                let known = quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned);
                if let (Some(inner), Some(text)) = (open.last_mut(), known.or(letter)) {
                    inner.text.push_str(&text);
                }
            }
            Event::End(_) => {
                let done = open.pop().unwrap_or_default();
                match open.last_mut() {
                    Some(around) => around.add(done),
                    None => open.push(done),
                }
            }
            Event::Eof => {
                let mut root = open.into_iter().next().unwrap_or_default();
                let only = root.members.keys().next().cloned();
                return Ok(only.and_then(|name| root.members.remove(&name)).unwrap_or_default());
            }
            _ => {}
        }
    }
}

/// An element that is being read.
#[derive(Default)]
struct Element {
    name: String,
    members: Map<String, Value>,
    items: Vec<Value>,
    text: String,
}

impl Element {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    fn add(&mut self, inner: Self) {
        let Self { name, members, items, text } = inner;
        let value = match (members.is_empty(), items.is_empty()) {
            (_, false) => Value::Array(items),
            (false, true) => Value::Object(members),
            // An empty list and an empty text are written alike.
            (true, true) if text.trim().is_empty() && LISTS.contains(&name.as_str()) => {
                Value::Array(Vec::new())
            }
            (true, true) => Value::String(text.trim().to_owned()),
        };
        if matches!(name.as_str(), "item" | "member") {
            self.items.push(value);
        } else {
            self.members.insert(name, value);
        }
    }
}

/// Whether nothing stands in its root: AWS says at least which request it answers, and what says nothing would pass for
/// an empty list.
fn is_hollow(xml: &str) -> bool {
    let marks = |start: &str| xml.matches(start).count();
    marks("<").saturating_sub(marks("<?")) <= 2
}

/// The text of the element directly below the root whose name ends in `Result`.
fn result_element(xml: &str) -> Result<Option<&str>, quick_xml::Error> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut depth = 0_usize;
    loop {
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event()? {
            Event::Start(start) if depth == 1 && start.local_name().as_ref().ends_with("Result") => {
                let end = start.to_end().into_owned();
                reader.read_to_end(end.name())?;
                let after = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
                return Ok(xml.get(before..after));
            }
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}

/// What an error document says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct XmlError {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
}

/// Reads an error document: `<Response><Errors><Error>` of EC2 and `<ErrorResponse><Error>` of the others. `None` for
/// anything else, such as a proxy's HTML.
pub(crate) fn read_error(xml: &str) -> Option<XmlError> {
    #[derive(Deserialize)]
    struct Document {
        #[serde(rename = "Errors")]
        errors: Option<Errors>,
        #[serde(rename = "Error")]
        error: Option<Said>,
        #[serde(rename = "RequestId", alias = "RequestID")]
        request_id: Option<String>,
    }
    #[derive(Deserialize)]
    struct Errors {
        #[serde(rename = "Error", default)]
        all: Vec<Said>,
    }
    #[derive(Deserialize)]
    struct Said {
        #[serde(rename = "Code", default)]
        code: String,
        #[serde(rename = "Message", default)]
        message: String,
    }
    let document: Document = quick_xml::de::from_str(xml).ok()?;
    let said = document.errors.and_then(|errors| errors.all.into_iter().next()).or(document.error)?;
    (!said.code.is_empty()).then_some(XmlError {
        code: said.code,
        message: said.message,
        request_id: document.request_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_flat_at_ec2_and_members_elsewhere() {
        let ec2 = Query::new(QueryService::Ec2, "ec2.DescribeSubnets", Effect::Read)
            .list("SubnetId", ["a", "b"])
            .filters(&[("vpc-id", vec!["v".to_owned(), "w".to_owned()])]);
        let text = |query: &Query| {
            let pairs: Vec<String> = query.fields().iter().map(|(k, v)| format!("{k}={v}")).collect();
            pairs.join("&")
        };
        assert_eq!(
            text(&ec2),
            "Action=DescribeSubnets&Version=2016-11-15&SubnetId.1=a&SubnetId.2=b&Filter.1.Name=vpc-id&Filter.1.Value.1=v&Filter.1.Value.2=w"
        );
        let groups =
            Query::new(QueryService::AutoScaling, "autoscaling.CreateOrUpdateTags", Effect::Idempotent)
                .records("Tags", &[vec![("Key", "k".to_owned()), ("Value", "v".to_owned())]]);
        assert_eq!(
            text(&groups),
            "Action=CreateOrUpdateTags&Version=2011-01-01&Tags.member.1.Key=k&Tags.member.1.Value=v"
        );
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Identity {
        #[serde(rename = "Account", default)]
        account: String,
    }

    #[test]
    fn reads_what_is_inside_the_result() {
        let xml = r#"<?xml version="1.0"?><GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>
          <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#;
        let identity: Identity = read(QueryService::Sts, xml).unwrap();
        assert_eq!(identity.account, "123456789012");
        let empty: Identity =
            read(QueryService::Iam, "<DeleteRoleResponse><ResponseMetadata/></DeleteRoleResponse>").unwrap();
        assert_eq!(empty.account, "");
        assert!(read::<Identity>(QueryService::Sts, "<a><b></a>").is_err());
        for hollow in ["<R/>", "<?xml version=\"1.0\"?>\n<R xmlns=\"u\"></R>", "<R>text</R>", ""] {
            assert!(read::<Identity>(QueryService::Iam, hollow).is_err(), "{hollow}");
        }
    }

    #[test]
    fn an_answer_is_json_with_its_own_members() {
        let xml = "<?xml version=\"1.0\"?>\n<DescribeVpcsResponse xmlns=\"u\"><requestId>r</requestId><vpcSet><item>\
            <vpcId>vpc-1</vpcId><isDefault>false</isDefault><tagSet><item><key>Name</key><value>a &amp; b</value></item>\
            </tagSet><ipv6CidrBlockAssociationSet/><none/></item></vpcSet></DescribeVpcsResponse>";
        let expected = serde_json::json!({"requestId": "r", "vpcSet": [{
            "vpcId": "vpc-1", "isDefault": "false", "tagSet": [{"key": "Name", "value": "a & b"}],
            "ipv6CidrBlockAssociationSet": [], "none": "",
        }]});
        assert_eq!(to_json(xml).unwrap(), expected);
        assert!(to_json("<a><b></a>").is_err());
    }

    #[test]
    fn reads_both_shapes_of_errors_and_nothing_else() {
        let ec2 = "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>no</Message></Error></Errors><RequestID>r-1</RequestID></Response>";
        let error = read_error(ec2).unwrap();
        assert_eq!(
            (error.code.as_str(), error.request_id.as_deref()),
            ("InvalidVpcID.NotFound", Some("r-1"))
        );
        let iam = "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>m</Message></Error><RequestId>r-2</RequestId></ErrorResponse>";
        assert_eq!(read_error(iam).unwrap().code, "NoSuchEntity");
        for other in
            ["", "<html><body>404</body></html>", "{\"message\":\"x\"}", "<!doctype html><p>Not Found"]
        {
            assert_eq!(read_error(other), None, "{other}");
        }
    }
}
