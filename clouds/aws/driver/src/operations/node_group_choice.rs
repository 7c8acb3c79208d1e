//! What a node group is made from, chosen before anything is asked: machine type, image, disk, who may log in.
//! Reads the machine types, key pairs and images that were named; everything else is a pure function with a table
//! test.

use futures::future::try_join_all;
use pmks_driver::{DriverError, Prepared, Result};
use pmks_model::{Findings, MachineType, NodeGroupRequest, VersionRequest};

use super::given_template::{self, Given};
use super::launch_template::Template;
use crate::api::ec2::filter;
use crate::machines::{AMI_TYPES, DEFAULT_AMI_TYPE, DEFAULT_ARM_AMI_TYPE};
use crate::wire::{eks, launch_templates as wire};
use crate::{AwsDriver, PROVIDER, machines, networks};

/// What EKS takes where neither node group nor launch template names a type.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html>, `instanceTypes`
const DEFAULT_MACHINE_TYPE: &str = "t3.medium";

/// What the cluster gives to each of its node groups.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupSettings {
    /// The control plane's version, where it is known.
    pub(super) cluster_version: Option<String>,
    /// From where nodes with a key pair may be logged in to; of nodes with an image of the user's own, theirs.
    pub(super) security_groups: Vec<String>,
    /// The zones of the subnets.
    pub(super) zones: Vec<String>,
}

/// What was chosen for one node group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) disk_size: Option<u32>,
    pub(super) instance_types: Vec<String>,
    pub(super) ami_type: Option<String>,
    pub(super) remote_access: Option<eks::RemoteAccess>,
    pub(super) launch_template: Option<eks::LaunchTemplate>,
    /// The user's own launch template, in words.
    pub(super) given: Option<String>,
    /// The machine type that it names.
    pub(super) named_elsewhere: Option<String>,
    /// What pmks makes a launch template from.
    pub(super) template: Option<Template>,
    pub(super) notices: Vec<String>,
}

impl Choice {
    /// Tells the user what was chosen.
    pub(super) fn tell(&self, prepared: &mut Prepared) {
        let id = self.launch_template.as_ref().and_then(|template| template.id.as_deref());
        let given = self.given.as_deref().or(id);
        let own = self.template.as_ref().map(|template| template.image.as_str());
        if let Some(image) = given.or(own).or(self.ami_type.as_deref()) {
            prepared.resolved.insert(format!("image of {}", self.name), image.to_owned());
        }
        let types: Vec<&str> =
            self.instance_types.iter().chain(&self.named_elsewhere).map(String::as_str).collect();
        if !types.is_empty() {
            prepared.resolved.insert(format!("machine type of {}", self.name), types.join(", "));
        }
        prepared.notices.extend(self.notices.iter().cloned());
    }
}

/// Chooses for all node groups of a request. `prefix` gives what stands before the fields of the one at an index.
///
/// # Errors
/// `InvalidRequest` with everything that is wrong with any of them.
pub(super) async fn choose(
    driver: &AwsDriver,
    requests: &[NodeGroupRequest],
    settings: &GroupSettings,
    prefix: impl Fn(usize) -> String,
) -> Result<Vec<Choice>> {
    let named = requests.iter().map(|request| given_template::read(driver, launch_template(&request.image)));
    let templates = try_join_all(named).await?;
    let named = requests.iter().zip(&templates);
    let machines =
        try_join_all(named.map(|(request, template)| machine_of(driver, request, template))).await?;
    let keys = try_join_all(requests.iter().map(|request| key_of(driver, request))).await?;
    let images = try_join_all(requests.iter().map(|request| image_of(driver, request))).await?;
    let mut findings = Findings::default();
    let mut choices = Vec::new();
    let found = machines.into_iter().zip(keys).zip(images).zip(templates);
    for (index, (request, (((machine, key), image), template))) in requests.iter().zip(found).enumerate() {
        let facts = Facts { machine, key, image, template };
        choices.push(choose_one(request, &facts, settings, &prefix(index), &mut findings));
    }
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    Ok(choices)
}

/// What was found out about what a request names.
#[derive(Clone, Debug, Default)]
struct Facts {
    /// `None`: the region has no such machine type.
    machine: Option<MachineType>,
    /// The key pair's name at EC2; an empty text where there is no such key pair.
    key: Option<String>,
    /// The image of the user's own; `None` where there is no such image, or none was named.
    image: Option<wire::Image>,
    /// The user's own launch template.
    template: Given,
}

async fn machine_of(
    driver: &AwsDriver,
    request: &NodeGroupRequest,
    template: &Given,
) -> Result<Option<MachineType>> {
    let name = match template.machine_type() {
        Some(name) => name,
        None if request.machine_type.is_empty() && launch_template(&request.image).is_some() => {
            return Ok(None);
        }
        None => named_machine(request),
    };
    match machines::machine_type(driver, name).await {
        Ok(machine) => Ok(Some(machine)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn key_of(driver: &AwsDriver, request: &NodeGroupRequest) -> Result<Option<String>> {
    let Some(key) = &request.key_pair else { return Ok(None) };
    let found = networks::find_key_pair(&driver.api, &key.system_id).await?;
    Ok(Some(found.map(|found| found.key_name).unwrap_or_default()))
}

/// Whether an image setting is an AMI's identifier.
fn is_ami(image: &str) -> bool {
    image.starts_with("ami-")
}

async fn image_of(driver: &AwsDriver, request: &NodeGroupRequest) -> Result<Option<wire::Image>> {
    if !is_ami(&request.image) {
        return Ok(None);
    }
    Ok(driver.api.describe_images(&[filter("image-id", &request.image)]).await?.into_iter().next())
}

fn named_machine(request: &NodeGroupRequest) -> &str {
    if request.machine_type.is_empty() { DEFAULT_MACHINE_TYPE } else { &request.machine_type }
}

/// A launch template, perhaps of a version: `lt-0123`, `lt-0123:4`.
fn launch_template(image: &str) -> Option<eks::LaunchTemplate> {
    if !image.starts_with("lt-") {
        return None;
    }
    let (id, version) =
        image.split_once(':').map_or((image, None), |(id, version)| (id, Some(version.to_owned())));
    Some(eks::LaunchTemplate { id: Some(id.to_owned()), name: None, version })
}

fn choose_one(
    request: &NodeGroupRequest,
    facts: &Facts,
    settings: &GroupSettings,
    prefix: &str,
    findings: &mut Findings,
) -> Choice {
    check_version(request, settings, prefix, findings);
    let mut choice = Choice { name: request.name.clone(), ..Choice::default() };
    match launch_template(&request.image) {
        Some(template) => from_template(request, facts, settings, template, prefix, findings, &mut choice),
        None if is_ami(&request.image) => from_ami(request, facts, settings, prefix, findings, &mut choice),
        None => from_type(request, facts, settings, prefix, findings, &mut choice),
    }
    if request.scaling.auto_scaling {
        choice.notices.push(format!(
            "node group {}: its size moves only once the Cluster Autoscaler runs in the cluster",
            request.name
        ));
    }
    choice
}

/// EKS makes node groups of the cluster's own version alone.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html>, `version`
fn check_version(
    request: &NodeGroupRequest,
    settings: &GroupSettings,
    prefix: &str,
    findings: &mut Findings,
) {
    let VersionRequest::Given(asked) = &request.version else { return };
    let cluster =
        settings.cluster_version.as_deref().and_then(|text| text.parse::<pmks_model::Version>().ok());
    if let Some(cluster) = cluster
        && !asked.covers(&cluster)
    {
        let says = format!("EKS makes node groups of the cluster's own version ({cluster}) alone");
        findings.add(format!("{prefix}version"), says);
    }
}

/// What EKS refuses beside a launch template, and of one.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html>
fn from_template(
    request: &NodeGroupRequest,
    facts: &Facts,
    settings: &GroupSettings,
    mut template: eks::LaunchTemplate,
    prefix: &str,
    findings: &mut Findings,
    choice: &mut Choice,
) {
    let says = "belongs into the launch template: EKS takes only one of them";
    if request.root_disk_size_gib.is_some() {
        findings.add(format!("{prefix}rootDiskSizeGib"), says);
    }
    if request.key_pair.is_some() {
        findings.add(format!("{prefix}keyPair"), says);
    }
    let (image, machine) = (format!("{prefix}image"), format!("{prefix}machineType"));
    let in_template = facts.template.machine_type();
    match (in_template, request.machine_type.as_str()) {
        (Some(name), "") => check_machine(name, &image, facts, settings, findings),
        (Some(name), _) => {
            let says = format!("the launch template names {name} already: EKS takes only one of them");
            findings.add(&machine, says);
        }
        (None, "") => {}
        (None, name) => check_machine(name, &machine, facts, settings, findings),
    }
    if !request.machine_type.is_empty() {
        choice.instance_types = vec![request.machine_type.clone()];
    }
    match &facts.template {
        Given::Unread => {}
        Given::Missing(says) => {
            findings.add(&image, format!("cannot be used in this account and region: {says}"));
        }
        Given::Read(found) => {
            let refused = given_template::refused(found);
            if !refused.is_empty() {
                let says = format!(
                    "{} says {}: EKS makes no node groups from such",
                    given_template::says(found),
                    refused.join(", ")
                );
                findings.add(&image, says);
            }
            // EKS' own default is for x86 alone, whatever the machines are.
            if let Some(machine) =
                facts.machine.as_ref().filter(|_| found.launch_template_data.image_id.is_empty())
            {
                choice.ami_type = Some(default_ami_type(&machine.architecture, machine.gpus > 0).to_owned());
            }
            // What was looked at is what is made, though somebody makes another version the default meanwhile.
            template.version = Some(found.version_number.to_string());
            choice.given = Some(given_template::says(found));
            choice.named_elsewhere = in_template.map(str::to_owned);
        }
    }
    choice.launch_template = Some(template);
}

fn from_type(
    request: &NodeGroupRequest,
    facts: &Facts,
    settings: &GroupSettings,
    prefix: &str,
    findings: &mut Findings,
    choice: &mut Choice,
) {
    check_machine(named_machine(request), &format!("{prefix}machineType"), facts, settings, findings);
    choice.instance_types = vec![named_machine(request).to_owned()];
    choice.disk_size = request.root_disk_size_gib;
    choice.ami_type = ami_type(request, facts.machine.as_ref(), prefix, findings);
    let ends = choice.ami_type.as_deref().zip(settings.cluster_version.as_deref());
    if let Some(says) = ends.and_then(|(name, version)| machines::ends_before(name, version)) {
        findings.add(format!("{prefix}image"), says);
    }
    let least = choice.ami_type.as_deref().and_then(|name| Some((name, machines::least_disk_gib(name)?)));
    if let (Some(asked), Some((name, least))) = (request.root_disk_size_gib, least)
        && asked < least
    {
        let says = format!("the AMIs of {name} have {least} GiB already");
        findings.add(format!("{prefix}rootDiskSizeGib"), says);
    }
    if let Some(key) = known_key(facts, prefix, findings) {
        if settings.security_groups.is_empty() {
            choice.notices.push(format!(
                    "node group {}: with a key pair and no security group EKS opens the nodes' port 22 to all addresses",
                    request.name
                ));
        }
        choice.remote_access = Some(eks::RemoteAccess {
            ec2_ssh_key: Some(key),
            source_security_groups: settings.security_groups.clone(),
        });
    }
}

/// The key pair's name at EC2, where one was named that exists.
fn known_key(facts: &Facts, prefix: &str, findings: &mut Findings) -> Option<String> {
    let key = facts.key.as_deref()?;
    if key.is_empty() {
        findings.add(format!("{prefix}keyPair"), "there is no such key pair in this account and region");
        return None;
    }
    Some(key.to_owned())
}

/// An image of the user's own: pmks makes the launch template that EKS wants for it.
fn from_ami(
    request: &NodeGroupRequest,
    facts: &Facts,
    settings: &GroupSettings,
    prefix: &str,
    findings: &mut Findings,
    choice: &mut Choice,
) {
    check_machine(named_machine(request), &format!("{prefix}machineType"), facts, settings, findings);
    choice.instance_types = vec![named_machine(request).to_owned()];
    let key = known_key(facts, prefix, findings);
    let Some(image) = &facts.image else {
        findings
            .add(format!("{prefix}image"), "there is no such AMI that this account may use in this region");
        return;
    };
    check_image(request, image, facts.machine.as_ref(), prefix, findings);
    if key.is_some() {
        choice.notices.push(format!(
            "node group {}: beside an AMI, a key pair opens no port; the cluster's security groups are put on the nodes",
            request.name
        ));
    }
    choice.template = Some(Template {
        image: image.image_id.clone(),
        key,
        disk: request.root_disk_size_gib.map(|gib| (image.root_device_name.clone(), gib)),
        security_groups: settings.security_groups.clone(),
    });
}

fn check_image(
    request: &NodeGroupRequest,
    image: &wire::Image,
    machine: Option<&MachineType>,
    prefix: &str,
    findings: &mut Findings,
) {
    let field = format!("{prefix}image");
    if image.image_state != "available" {
        findings.add(&field, format!("cannot be used: EC2 says that it is {:?}", image.image_state));
    }
    // Both learn their cluster in another way than Amazon Linux does.
    let lower = format!("{} {}", image.platform, image.name).to_lowercase();
    if lower.contains("windows") || lower.contains("bottlerocket") {
        let says =
            "pmks prepares nodes of Amazon Linux alone: give the AMI in a launch template of your own (lt-…)";
        findings.add(&field, says);
    }
    if let Some(machine) = machine.filter(|machine| machine.architecture != image.architecture) {
        let says = format!(
            "is for {} and {} is {}",
            image.architecture,
            named_machine(request),
            machine.architecture
        );
        findings.add(&field, says);
    }
    if let (Some(asked), Some(least)) = (request.root_disk_size_gib, image.root_disk_gib())
        && asked < least
    {
        findings
            .add(format!("{prefix}rootDiskSizeGib"), format!("the AMI's own disk has {least} GiB already"));
    }
}

fn check_machine(name: &str, field: &str, facts: &Facts, settings: &GroupSettings, findings: &mut Findings) {
    match &facts.machine {
        None => findings.add(field, format!("{name:?} is not offered in this region")),
        Some(machine) => {
            let none = !machine.zones.is_empty()
                && !settings.zones.is_empty()
                && !settings.zones.iter().any(|zone| machine.zones.contains(zone));
            if none {
                let says = format!(
                    "{name:?} is offered in none of the subnets' zones ({})",
                    settings.zones.join(", ")
                );
                findings.add(field, says);
            }
        }
    }
}

fn default_ami_type(architecture: &str, has_gpu: bool) -> &'static str {
    match (architecture, has_gpu) {
        ("arm64", true) => "AL2023_ARM_64_NVIDIA",
        ("arm64", false) => DEFAULT_ARM_AMI_TYPE,
        (_, true) => "AL2023_x86_64_NVIDIA",
        _ => DEFAULT_AMI_TYPE,
    }
}

fn ami_type(
    request: &NodeGroupRequest,
    machine: Option<&MachineType>,
    prefix: &str,
    findings: &mut Findings,
) -> Option<String> {
    let architecture = machine.map_or("x86_64", |machine| machine.architecture.as_str());
    let has_gpu = machine.is_some_and(|machine| machine.gpus > 0);
    let field = format!("{prefix}image");
    match request.image.as_str() {
        "" | "default" => Some(default_ami_type(architecture, has_gpu).to_owned()),
        named => match AMI_TYPES.iter().find(|known| known.name == named) {
            None => {
                let known: Vec<&str> = AMI_TYPES.iter().map(|known| known.name).collect();
                let says = format!(
                    "must be an AMI (ami-…), a launch template (lt-…, lt-…:VERSION) or one of {}",
                    known.join(", ")
                );
                findings.add(field, says);
                None
            }
            Some(known) => {
                if machine.is_some() && known.architecture != architecture {
                    let says = format!(
                        "is for {} and {} is {architecture}",
                        known.architecture,
                        named_machine(request)
                    );
                    findings.add(field, says);
                }
                Some(known.name.to_owned())
            }
        },
    }
}

#[cfg(test)]
#[path = "node_group_choice_tests.rs"]
mod tests;
