//! Launch templates, as far as node groups use them: one version at creation, no later ones by the API.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html>.

use super::describe::{Filters, paged};
use super::state::{LaunchTemplate, TemplateData, TemplateDisk, TemplateVersion};
use super::tags;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::Tags;
use crate::xml::Xml;

fn no_id(id: &str) -> Error {
    let message = format!("The specified launch template, with template ID {id}, does not exist.");
    Error::bad("InvalidLaunchTemplateId.NotFound", message)
}

fn no_name(name: &str) -> Error {
    let message = format!("The specified launch template, with template name {name}, does not exist.");
    Error::bad("InvalidLaunchTemplateName.NotFoundException", message)
}

/// `CreateLaunchTemplate`; the same client token gives the same template.
pub(super) fn create(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let name = query.required("LaunchTemplateName")?;
    let allowed = |character: char| character.is_ascii_alphanumeric() || "()./_-".contains(character);
    if !(3..=128).contains(&name.len()) || !name.chars().all(allowed) {
        let message = format!("Value ({name}) for parameter launchTemplateName is invalid.");
        return Err(Error::bad("InvalidLaunchTemplateName.MalformedException", message));
    }
    let given = query.structure("LaunchTemplateData");
    if given.is_empty() {
        return Err(Error::missing("LaunchTemplateData"));
    }
    let data = data(&given)?;
    let template_tags = tags::at_creation(query, "launch-template")?;
    let token = query.get("ClientToken").map(str::to_owned);
    let templates = &context.region().ec2.launch_templates;
    if let Some(same) = templates.values().find(|held| token.is_some() && held.client_token == token) {
        return Ok(Xml::new().child("launchTemplate", &written(same)));
    }
    if templates.values().any(|held| held.name == name) {
        let message = "Launch template name already in use.";
        return Err(Error::bad("InvalidLaunchTemplateName.AlreadyExistsException", message));
    }
    let created = context.now.wall;
    let description = query.get("VersionDescription").map(str::to_owned);
    let template = LaunchTemplate {
        id: context.world.new_id("lt"),
        name: name.to_owned(),
        versions: vec![TemplateVersion { number: 1, description, data, created }],
        default_version: 1,
        client_token: token,
        tags: template_tags,
        created,
    };
    let answer = Xml::new().child("launchTemplate", &written(&template));
    context.region_mut().ec2.launch_templates.insert(template.id.clone(), template);
    Ok(answer)
}

fn data(query: &Query) -> Result<TemplateData> {
    let mut data = TemplateData {
        image: query.get("ImageId").map(str::to_owned),
        machine_type: query.get("InstanceType").map(str::to_owned),
        key_name: query.get("KeyName").map(str::to_owned),
        groups: query.list("SecurityGroupId"),
        user_data: query.get("UserData").map(str::to_owned),
        ..TemplateData::default()
    };
    for disk in query.structures("BlockDeviceMapping") {
        data.disks.push(TemplateDisk {
            device: disk.required("DeviceName")?.to_owned(),
            size_gib: disk.number("Ebs.VolumeSize")?,
            kind: disk.get("Ebs.VolumeType").map(str::to_owned),
        });
    }
    for specification in query.structures("TagSpecification") {
        let given = specification.structures("Tag").into_iter();
        let pairs = given.filter_map(|tag| {
            Some((tag.get("Key")?.to_owned(), tag.get("Value").unwrap_or_default().to_owned()))
        });
        data.tags.insert(specification.required("ResourceType")?.to_owned(), pairs.collect());
    }
    Ok(data)
}

/// `DescribeLaunchTemplates`
pub(super) fn describe(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let (ids, names) = (query.list("LaunchTemplateId"), query.list("LaunchTemplateName"));
    let templates = &context.region().ec2.launch_templates;
    if let Some(absent) = ids.iter().find(|id| !templates.contains_key(*id)) {
        return Err(no_id(absent));
    }
    if let Some(absent) = names.iter().find(|name| !templates.values().any(|held| held.name == **name)) {
        return Err(no_name(absent));
    }
    let filters = Filters::read(query, &["launch-template-name", "create-time"])?;
    let wanted = templates.values().filter(|held| {
        (ids.is_empty() || ids.contains(&held.id))
            && (names.is_empty() || names.contains(&held.name))
            && filters.keep(&held.tags, |filter| {
                vec![if filter == "create-time" { time(held.created) } else { held.name.clone() }]
            })
    });
    paged(
        query,
        "launchTemplates",
        !ids.is_empty(),
        wanted.map(|held| (held.id.clone(), written(held))).collect(),
    )
}

/// `DescribeLaunchTemplateVersions`
pub(super) fn describe_versions(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let template = find(context, query)?;
    let wanted = query.list("LaunchTemplateVersion");
    let latest = template.versions.last().map_or(0, |version| version.number);
    let mut numbers = Vec::new();
    for name in &wanted {
        numbers.push(match name.as_str() {
            "$Latest" => latest,
            "$Default" => template.default_version,
            number => number.parse().map_err(|_| Error::invalid("versions", number))?,
        });
    }
    if let Some(absent) =
        numbers.iter().find(|number| !template.versions.iter().any(|one| one.number == **number))
    {
        let message = format!("Could not find launch template version {absent} of {}.", template.id);
        return Err(Error::bad("InvalidLaunchTemplateId.VersionNotFound", message));
    }
    let versions = template.versions.iter().filter(|one| numbers.is_empty() || numbers.contains(&one.number));
    let written = versions.map(|one| (format!("{:010}", one.number), written_version(template, one)));
    paged(query, "launchTemplateVersionSet", false, written.collect())
}

/// `DeleteLaunchTemplate`
pub(super) fn delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let template = find(context, query)?;
    let (id, answer) = (template.id.clone(), Xml::new().child("launchTemplate", &written(template)));
    context.region_mut().ec2.launch_templates.remove(&id);
    Ok(answer)
}

fn find<'a>(context: &'a Context<'_>, query: &Query) -> Result<&'a LaunchTemplate> {
    let templates = &context.region().ec2.launch_templates;
    match (query.get("LaunchTemplateId"), query.get("LaunchTemplateName")) {
        (Some(id), None) => templates.get(id).ok_or_else(|| no_id(id)),
        (None, Some(name)) => templates.values().find(|held| held.name == name).ok_or_else(|| no_name(name)),
        _ => {
            let message = "Exactly one of launch template ID and name must be specified.";
            Err(Error::bad("InvalidParameterCombination", message))
        }
    }
}

fn time(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn written(template: &LaunchTemplate) -> Xml {
    Xml::new()
        .text("launchTemplateId", &template.id)
        .text("launchTemplateName", &template.name)
        .text("createTime", time(template.created))
        .text("defaultVersionNumber", template.default_version)
        .text("latestVersionNumber", template.versions.last().map_or(0, |version| version.number))
        .and(&tags::written(&template.tags))
}

fn written_version(template: &LaunchTemplate, version: &TemplateVersion) -> Xml {
    let data = &version.data;
    let disks = data.disks.iter().map(|disk| {
        let ebs = Xml::new().maybe("volumeSize", disk.size_gib).maybe("volumeType", disk.kind.as_ref());
        Xml::new().text("deviceName", &disk.device).child("ebs", &ebs)
    });
    let specification =
        |(kind, given): (&String, &Tags)| Xml::new().text("resourceType", kind).and(&tags::written(given));
    let written = Xml::new()
        .maybe("imageId", data.image.as_ref())
        .maybe("instanceType", data.machine_type.as_ref())
        .maybe("keyName", data.key_name.as_ref())
        .maybe("userData", data.user_data.as_ref())
        .texts("securityGroupIdSet", "item", &data.groups)
        .list("blockDeviceMappingSet", "item", disks)
        .list("tagSpecificationSet", "item", data.tags.iter().map(specification));
    Xml::new()
        .text("launchTemplateId", &template.id)
        .text("launchTemplateName", &template.name)
        .text("versionNumber", version.number)
        .maybe("versionDescription", version.description.as_ref())
        .text("createTime", time(version.created))
        .text("defaultVersion", version.number == template.default_version)
        .child("launchTemplateData", &written)
}
