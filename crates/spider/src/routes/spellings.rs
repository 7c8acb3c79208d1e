//! How CB-Spider spells providers, and what its `cloudos_meta` says of each. Tables of spellings and of what clients are
//! shown: nothing of this decides what a cloud is asked.
//!
//! Source: <https://github.com/cloud-barista/cb-spider/blob/master/cloud-driver-libs/cloudos_meta.yaml>

use pmks_driver::{Capabilities, Field};

/// A provider in CB-Spider's words.
pub(super) struct Spelling {
    /// Its name there.
    pub(super) spider: &'static str,
    /// The keys of its credentials, each with the cloud's own name of it.
    pub(super) credential: &'static [(&'static str, &'static str)],
    pub(super) root_disk_types: &'static [&'static str],
    pub(super) root_disk_sizes: &'static [&'static str],
    pub(super) longest_names: &'static [&'static str],
    pub(super) default_region: &'static [&'static str],
}

/// In the order in which clients are shown them.
pub(super) const ALL: &[Spelling] = &[
    Spelling {
        spider: "AWS",
        credential: &[("ClientId", "aws_access_key_id"), ("ClientSecret", "aws_secret_access_key")],
        root_disk_types: &["standard", "gp2", "gp3"],
        root_disk_sizes: &[],
        longest_names: &["255", "256", "255", "255", "255", "256", "32", "127", "100", "0", "63"],
        default_region: &["ap-northeast-2", "ap-northeast-2a"],
    },
    Spelling {
        spider: "AZURE",
        credential: &[
            ("ClientId", "clientId"),
            ("ClientSecret", "clientSecret"),
            ("TenantId", "tenantId"),
            ("SubscriptionId", "subscriptionId"),
        ],
        root_disk_types: &["PremiumSSD", "StandardSSD", "StandardHDD"],
        root_disk_sizes: &[],
        longest_names: &["64", "80", "64", "80", "64", "80", "80", "80", "63", "0", "63"],
        default_region: &["koreacentral", "1"],
    },
    Spelling {
        spider: "GCP",
        credential: &[
            ("PrivateKey", "private_key"),
            ("ProjectID", "project_id"),
            ("ClientEmail", "client_email"),
        ],
        root_disk_types: &["pd-standard", "pd-balanced", "pd-ssd", "pd-extreme"],
        root_disk_sizes: &[],
        longest_names: &["63", "63", "57", "0", "63", "63", "63", "63", "40", "0", "63"],
        default_region: &[],
    },
    Spelling {
        spider: "ALIBABA",
        credential: &[("ClientId", "AccessKeyId"), ("ClientSecret", "AccessKeySecret")],
        root_disk_types: &["cloud_essd", "cloud_efficiency", "cloud", "cloud_ssd"],
        root_disk_sizes: &[
            "cloud_essd|20|32768|GB",
            "cloud_efficiency|20|32768|GB",
            "cloud|5|2000|GB",
            "cloud_ssd|20|32768|GB",
        ],
        longest_names: &["128", "128", "128", "128", "128", "128", "80", "128", "63", "0", "128"],
        default_region: &["ap-northeast-2", "ap-northeast-2a"],
    },
    Spelling {
        spider: "TENCENT",
        credential: &[("ClientId", "SecretId"), ("ClientSecret", "SecretKey")],
        root_disk_types: &["CLOUD_PREMIUM", "CLOUD_SSD"],
        root_disk_sizes: &["CLOUD_PREMIUM|50|16000|GB", "CLOUD_SSD|50|16000|GB"],
        longest_names: &["60", "60", "60", "25", "88", "60", "60", "60", "50", "0", "60"],
        default_region: &["ap-seoul", "ap-seoul-1"],
    },
    Spelling {
        spider: "IBM",
        credential: &[("ApiKey", "ApiKey")],
        root_disk_types: &["general-purpose", "sdp"],
        root_disk_sizes: &["general-purpose|100|250|GB", "sdp|100|250|GB"],
        longest_names: &["63", "63", "63", "63", "63", "63", "63", "63", "32", "63", "63"],
        default_region: &["us-south", "us-south-1"],
    },
    Spelling {
        spider: "ORACLE",
        credential: &[
            ("TenantId", "tenancy_ocid"),
            ("ClientId", "user_ocid"),
            ("ClientSecret", "private_key_pem"),
            ("StsToken", "fingerprint"),
            ("ProjectID", "compartment_ocid"),
        ],
        root_disk_types: &["default"],
        root_disk_sizes: &["default|50|32768|GB"],
        longest_names: &["255", "255", "255", "255", "255", "255", "255", "255", "0", "0", "255"],
        default_region: &["ap-chuncheon-1", "PEGr:AP-CHUNCHEON-1-AD-1"],
    },
    Spelling {
        spider: "OPENSTACK",
        credential: KEYSTONE,
        root_disk_types: &[],
        root_disk_sizes: &[],
        longest_names: &["255", "255", "255", "255", "255", "255", "255", "255", "0", "0", "255"],
        default_region: &[],
    },
    Spelling {
        spider: "NCP",
        credential: &[("ClientId", "ncloud_access_key"), ("ClientSecret", "ncloud_secret_key")],
        root_disk_types: &["HDD"],
        root_disk_sizes: &["HDD|10|2000|GB"],
        longest_names: &["30", "30", "30", "30", "30", "30", "30", "30", "20", "20", "30"],
        default_region: &[],
    },
    Spelling {
        spider: "NHN",
        credential: &[
            ("IdentityEndpoint", "IdentityEndpoint"),
            ("Username", "Username"),
            ("Password", "Password"),
            ("DomainName", "DomainName"),
            ("TenantId", "TenantId"),
        ],
        root_disk_types: &["General_HDD", "General_SSD"],
        root_disk_sizes: &["General_HDD|20|1000|GB", "General_SSD|20|1000|GB"],
        longest_names: &["32", "32", "255", "32", "90", "255", "80", "255", "32", "0", "32"],
        default_region: &[],
    },
    Spelling {
        spider: "KT",
        credential: KEYSTONE,
        root_disk_types: &["HDD", "SSD"],
        root_disk_sizes: &["HDD|50|100|GB", "SSD|50|100|GB"],
        longest_names: &["30", "48", "30", "100", "63", "50", "30", "50", "0", "20", "30"],
        default_region: &[],
    },
    Spelling {
        spider: "KTCLASSIC",
        credential: &[("ClientId", "API_Key"), ("ClientSecret", "Secret_Key")],
        root_disk_types: &["HDD", "SSD"],
        root_disk_sizes: &["HDD|20|50|GB", "SSD|20|50|GB"],
        longest_names: &["30", "30", "30", "100", "63", "50", "30", "32", "0", "0", "30"],
        default_region: &[],
    },
    Spelling {
        spider: "MOCK",
        credential: &[("MockName", "MockName")],
        root_disk_types: &["SSD", "HDD", "MEM"],
        root_disk_sizes: &[],
        longest_names: &["255", "255", "255", "255", "255", "255", "255", "255", "255", "0", "255"],
        default_region: &[],
    },
];

/// The keys of whoever signs in at a Keystone of their own.
const KEYSTONE: &[(&str, &str)] = &[
    ("IdentityEndpoint", "IdentityEndpoint"),
    ("Username", "Username"),
    ("Password", "Password"),
    ("DomainName", "DomainName"),
    ("ProjectID", "ProjectID"),
];

impl Spelling {
    /// CB-Spider's key of a credential that a client calls so: by that key in any case, or by the cloud's own.
    ///
    /// Source: <https://github.com/cloud-barista/cb-spider/blob/master/cloud-info-manager/KeyValueListValidator.go>
    pub(super) fn credential_key(&self, key: &str) -> Option<&'static str> {
        let is_it = |(spider, native): &&(&'static str, &'static str)| {
            *native == key || spider.eq_ignore_ascii_case(key)
        };
        self.credential.iter().find(is_it).map(|(spider, _)| *spider)
    }
}

/// The provider that CB-Spider calls so.
pub(super) fn of(spider: &str) -> Option<&'static Spelling> {
    ALL.iter().find(|spelling| spelling.spider == spider)
}

/// A provider's name in core: CB-Spider's names are the same words in capitals.
pub(super) fn to_core(spider: &str) -> String {
    spider.trim().to_lowercase()
}

/// A provider's name in CB-Spider.
pub(crate) fn to_spider(core: &str) -> String {
    core.to_uppercase()
}

/// The credential field of a provider that a client calls so: by CB-Spider's key, the cloud's own, or core's.
pub(super) fn field(
    spelling: Option<&Spelling>,
    capabilities: &Capabilities,
    key: &str,
) -> Option<&'static str> {
    let keys = spelling.map(|spelling| spelling.credential).unwrap_or_default();
    let own = keys.iter().find(|(_, native)| *native == key).map_or(key, |(spider, _)| *spider);
    let fields = capabilities.credential_forms.iter().flat_map(|form| form.fields);
    let by = |name: fn(&Field) -> &str, key: &str| {
        let mut fields = fields.clone();
        fields.find(|field| !key.is_empty() && name(field).eq_ignore_ascii_case(key)).map(|field| field.name)
    };
    by(|field| field.spider, own).or_else(|| by(|field| field.name, key))
}

/// CB-Spider's key of a credential field; core's where it has none.
pub(super) fn key(capabilities: Option<&Capabilities>, field: &str) -> String {
    let forms = capabilities.map(|capabilities| capabilities.credential_forms).unwrap_or_default();
    let known = forms.iter().flat_map(|form| form.fields).find(|known| known.name == field);
    known.map(|known| known.spider).filter(|key| !key.is_empty()).unwrap_or(field).to_owned()
}
