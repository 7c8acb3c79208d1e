//! Policies of roles: the AWS-managed ones that clusters and nodes need, and inline ones.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html>.

use super::roles::{encoded_document, find, find_to_change, paged};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::xml::Xml;

/// The default quota of managed policies on one role.
const MOST_ATTACHED: usize = 10;

/// The AWS-managed policies that exist here: path below `policy`, and name.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/security-iam-awsmanpol.html>.
const MANAGED: [(&str, &str); 16] = [
    ("/", "AdministratorAccess"),
    ("/", "AmazonEC2ContainerRegistryPullOnly"),
    ("/", "AmazonEC2ContainerRegistryReadOnly"),
    ("/", "AmazonEKSBlockStoragePolicy"),
    ("/", "AmazonEKSClusterPolicy"),
    ("/", "AmazonEKSComputePolicy"),
    ("/", "AmazonEKSFargatePodExecutionRolePolicy"),
    ("/", "AmazonEKSLoadBalancingPolicy"),
    ("/", "AmazonEKSNetworkingPolicy"),
    ("/", "AmazonEKSServicePolicy"),
    ("/", "AmazonEKSVPCResourceController"),
    ("/", "AmazonEKSWorkerNodeMinimalPolicy"),
    ("/", "AmazonEKSWorkerNodePolicy"),
    ("/", "AmazonEKS_CNI_Policy"),
    ("/", "AmazonSSMManagedInstanceCore"),
    ("/service-role/", "AmazonEBSCSIDriverPolicy"),
];

/// `GetPolicy`
pub(super) fn get(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let arn = query.required("PolicyArn")?;
    let (path, name) = managed(arn)?;
    let attached = context.world.iam(&context.caller.account).into_iter().flat_map(|iam| iam.roles.values());
    let attached = attached.filter(|role| role.attached.contains(arn)).count();
    let policy = Xml::new()
        .text("PolicyName", name)
        .text("PolicyId", policy_id(name))
        .text("Arn", arn)
        .text("Path", path)
        .text("DefaultVersionId", "v1")
        .text("AttachmentCount", attached)
        .text("PermissionsBoundaryUsageCount", 0)
        .text("IsAttachable", true)
        .text("CreateDate", "2018-05-27T21:07:46Z")
        .text("UpdateDate", "2018-05-27T21:07:46Z");
    Ok(Xml::new().child("Policy", &policy))
}

/// `AttachRolePolicy`; attaching twice is no error.
pub(super) fn attach(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let arn = query.required("PolicyArn")?;
    let full = context.effects.quota();
    let role = find_to_change(context, query)?;
    managed(arn)?;
    if full || (!role.attached.contains(arn) && role.attached.len() >= MOST_ATTACHED) {
        let message = format!("Cannot exceed quota for PoliciesPerRole: {MOST_ATTACHED}");
        return Err(Error::new(409, "LimitExceeded", message));
    }
    role.attached.insert(arn.to_owned());
    Ok(Xml::new())
}

/// `DetachRolePolicy`
pub(super) fn detach(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let arn = query.required("PolicyArn")?;
    let role = find_to_change(context, query)?;
    if role.attached.remove(arn) {
        return Ok(Xml::new());
    }
    Err(Error::new(404, "NoSuchEntity", format!("Policy {arn} was not found.")))
}

/// `ListAttachedRolePolicies`
pub(super) fn list_attached(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let role = find(context, query)?;
    let policies = role.attached.iter().map(|arn| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        (arn.clone(), Xml::new().text("PolicyName", name).text("PolicyArn", arn))
    });
    paged(query, "AttachedPolicies", policies.collect())
}

/// `ListRolePolicies`
pub(super) fn list_inline(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let names: Vec<&String> = find(context, query)?.inline.keys().collect();
    Ok(Xml::new().texts("PolicyNames", "member", names).text("IsTruncated", false))
}

/// `GetRolePolicy`
pub(super) fn get_inline(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let role = find(context, query)?;
    let name = query.required("PolicyName")?;
    let document = role.inline.get(name).ok_or_else(|| no_inline(name))?;
    Ok(Xml::new()
        .text("RoleName", &role.name)
        .text("PolicyName", name)
        .text("PolicyDocument", encoded_document(document)))
}

/// `PutRolePolicy`
pub(super) fn put_inline(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let name = query.required("PolicyName")?;
    let document = query.required("PolicyDocument")?;
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(document).is_err() {
        return Err(Error::bad("MalformedPolicyDocument", "Syntax errors in policy."));
    }
    find_to_change(context, query)?.inline.insert(name.to_owned(), document.to_owned());
    Ok(Xml::new())
}

/// `DeleteRolePolicy`
pub(super) fn delete_inline(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let name = query.required("PolicyName")?;
    match find_to_change(context, query)?.inline.remove(name) {
        Some(_) => Ok(Xml::new()),
        None => Err(no_inline(name)),
    }
}

fn no_inline(name: &str) -> Error {
    Error::new(404, "NoSuchEntity", format!("The role policy with name {name} cannot be found."))
}

fn managed(arn: &str) -> Result<(&'static str, &'static str)> {
    let found = MANAGED.iter().find(|(path, name)| arn == format!("arn:aws:iam::aws:policy{path}{name}"));
    let missing =
        || Error::new(404, "NoSuchEntity", format!("Policy {arn} does not exist or is not attachable."));
    found.copied().ok_or_else(missing)
}

/// A stable id made of the policy's name, since IAM's own are nothing that anybody keeps.
fn policy_id(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase());
    format!("ANPA{}", letters.chain(std::iter::repeat('A')).take(17).collect::<String>())
}
