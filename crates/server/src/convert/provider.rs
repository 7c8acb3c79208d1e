//! Providers and their capabilities.

use pmks_api as api;
use pmks_driver::{Capabilities, Form, OptionField, OptionKind};
use pmks_model::{NameRule, ResourceKind};

use super::word;

/// A provider.
pub(crate) fn provider(of: &Capabilities) -> api::Provider {
    api::Provider {
        name: of.provider.to_owned(),
        title: of.title.to_owned(),
        credential_forms: of.credential_forms.iter().map(form).collect(),
        capabilities: capabilities(of),
    }
}

fn form(form: &Form) -> api::CredentialForm {
    let field = |field: &pmks_driver::Field| api::CredentialField {
        name: field.name.to_owned(),
        secret: field.secret,
        required: field.required,
        env: field.env.to_owned(),
        help: field.help.to_owned(),
    };
    api::CredentialForm {
        name: form.name.to_owned(),
        help: form.help.to_owned(),
        fields: form.fields.iter().map(field).collect(),
    }
}

fn capabilities(of: &Capabilities) -> api::Capabilities {
    api::Capabilities {
        services: texts(of.services),
        first_region: of.first_region.to_owned(),
        settings: of.settings.iter().map(option).collect(),
        cluster_options: of.cluster_options.iter().map(option).collect(),
        operations: of.operations.iter().map(|kind| kind.as_str().to_owned()).collect(),
        cluster_name: rule(of.cluster_name),
        node_group_name: rule(of.node_group_name),
        network_name: rule(of.network_name),
        subnet_name: rule(of.subnet_name),
        security_group_name: rule(of.security_group_name),
        key_pair_name: rule(of.key_pair_name),
        unique_names: ResourceKind::ALL.iter().filter_map(|kind| unique_name(of, *kind)).collect(),
        tags: of.tags.map(|tags| api::TagRule {
            most: tags.most,
            key: rule(tags.key),
            value: rule(tags.value),
        }),
        node_groups_at_creation: api::NodeGroupsAtCreation {
            presence: word(&of.node_groups_at_creation.presence),
            most: of.node_groups_at_creation.most,
        },
        minimum_subnets: of.minimum_subnets,
        minimum_zones: of.minimum_zones,
        most_subnets: of.most_subnets,
        zonal_subnets: of.zonal_subnets,
        tagged: of.tagged.iter().map(|kind| kind.as_str().to_owned()).collect(),
        security_groups: word(&of.security_groups),
        image: word(&of.image),
        root_disk: root_disk(of.root_disk),
        key_pair: word(&of.key_pair),
        scales_to_zero: of.scales_to_zero,
        auto_scaling: api::AutoScaling {
            managed: of.auto_scaling.managed,
            keeps_limits: of.auto_scaling.keeps_limits,
            says: of.auto_scaling.says.to_owned(),
        },
        token: word(&of.token),
        token_reach: word(&of.token_reach),
        native_kubeconfig: of.native_kubeconfig,
        static_kubeconfig: of.static_kubeconfig,
        last_node_group: word(&of.last_node_group),
        upgrade: api::VersionRules {
            one_minor_at_a_time: of.upgrade.one_minor_at_a_time,
            node_groups_before_next_hop: of.upgrade.node_groups_before_next_hop,
            largest_skew: of.upgrade.largest_skew,
        },
        failed_create: word(&of.failed_create),
        node_metrics: of.node_metrics.iter().map(|metric| metric.as_str().to_owned()).collect(),
        metric_intervals: of.metric_intervals.to_vec(),
        buckets: of.buckets.iter().map(bucket).collect(),
        call_bounds: of.call_bounds.iter().map(bound).collect(),
        visible_after: of.visible_after.as_secs(),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn rule(rule: NameRule) -> api::NameRule {
    api::NameRule { pattern: rule.pattern.to_owned(), says: rule.says.to_owned() }
}

fn unique_name(of: &Capabilities, kind: ResourceKind) -> Option<(String, api::UniqueName)> {
    let (_, form) = of.names(kind)?;
    let form = api::UniqueName { most: form.most, joint: form.joint.to_owned(), suffix: form.suffix };
    Some((kind.as_str().to_owned(), form))
}

fn root_disk(disk: pmks_driver::RootDisk) -> api::RootDisk {
    api::RootDisk {
        types: texts(disk.types),
        default_gib: disk.default_gib,
        min_gib: disk.min_gib,
        max_gib: disk.max_gib,
    }
}

fn bucket(bucket: &pmks_driver::ActionBucket) -> api::ActionBucket {
    api::ActionBucket {
        service: bucket.service.to_owned(),
        action: bucket.action.to_owned(),
        burst: bucket.burst,
        per_second: bucket.per_second,
    }
}

fn bound(bound: &pmks_driver::CallBound) -> api::CallBound {
    api::CallBound {
        read: word(&bound.read),
        fixed: bound.fixed,
        per_cluster: bound.per_cluster,
        per_node_group: bound.per_node_group,
    }
}

fn option(field: &OptionField) -> api::OptionField {
    let (kind, choices) = match field.kind {
        OptionKind::Boolean => ("boolean", &[][..]),
        OptionKind::Text => ("text", &[][..]),
        OptionKind::Texts => ("texts", &[][..]),
        OptionKind::Choice(words) => ("choice", words),
    };
    api::OptionField {
        name: field.name.to_owned(),
        kind: kind.to_owned(),
        choices: texts(choices),
        default: field.default.to_owned(),
        help: field.help.to_owned(),
        changeable: field.changeable,
    }
}
