//! What clients ask before they log in: where to, and by which keys tokens are checked.
//!
//! Sources: <https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc>, and for the metadata of a cloud
//! <https://learn.microsoft.com/cli/azure/manage-clouds-azure-cli>.

use serde_json::{Value, json};

use super::Directory;

/// The `OpenID` Connect document of a tenant, as MSAL reads it.
pub(crate) fn openid(base: &str, directory: &Directory, tenant: &str, v2: bool) -> Value {
    // AD FS, of which azure-cli makes every cloud with a login endpoint that ends so, has neither tenants nor versions.
    let adfs = tenant.eq_ignore_ascii_case("adfs");
    let root = format!("{base}/{tenant}");
    let (token, authorize, keys) = match (adfs, v2) {
        (false, true) => ("oauth2/v2.0/token", "oauth2/v2.0/authorize", "discovery/v2.0/keys"),
        _ => ("oauth2/token", "oauth2/authorize", "discovery/keys"),
    };
    let issuer = match (adfs, v2) {
        (true, _) => root.clone(),
        (false, true) => format!("{base}/{}/v2.0", directory.tenant),
        (false, false) => format!("https://sts.windows.net/{}/", directory.tenant),
    };
    json!({
        "token_endpoint": format!("{root}/{token}"),
        "authorization_endpoint": format!("{root}/{authorize}"),
        "jwks_uri": format!("{root}/{keys}"),
        "issuer": issuer,
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "tenant_region_scope": "AS",
        "cloud_instance_name": "localhost",
    })
}

/// The keys by which tokens are checked.
pub(crate) fn keys(directory: &Directory) -> Value {
    directory.keys.public()
}

/// Which hosts are one login service, as MSAL asks about an authority.
pub(crate) fn instances(base: &str, directory: &Directory) -> Value {
    let host = base.split_once("://").map_or(base, |(_, host)| host);
    let tenant = &directory.tenant;
    json!({
        "tenant_discovery_endpoint": format!("{base}/{tenant}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    })
}

/// The endpoints of this cloud, as `az cloud register` reads them.
pub(crate) fn metadata(base: &str) -> Value {
    json!({
        "name": "pmks",
        "portal": format!("{base}/portal"),
        "authentication": {
            "loginEndpoint": format!("{base}/adfs"),
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "adfs",
            "identityProvider": "ADFS",
        },
        "media": base, "graphAudience": format!("{base}/graph"), "graph": format!("{base}/graph"),
        "resourceManager": base, "activeDirectoryDataLake": base, "batch": base, "sqlManagement": base,
        "vmImageAliasDoc": format!("{base}/aliases.json"),
        "suffixes": {"acrLoginServer": "azurecr.io", "keyVaultDns": "vault.azure.net", "storage": "core.windows.net"},
    })
}
