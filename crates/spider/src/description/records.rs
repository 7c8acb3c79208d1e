//! The service itself, the four records, and what a cloud offers.

use super::{AS_TEXT_TOO, AT, Body, NOTHING, OF_A_PROVIDER, Operation, Sends, described, whole};

/// `RegionName` may name a region that is put, to ask at its endpoints.
const BEFORE_A_CONNECTION: Sends =
    Sends { body: Body::Nothing, query: &["DriverName", "CredentialName", "RegionName"] };

pub(super) const ALL: &[Operation] = described! {
    GET "/api" "" NOTHING => "text/html", "Shows this interface to people.";
    GET "/api/index.html" "" NOTHING => "text/html", "Shows this interface to people.";
    GET "/api/doc.json" "" NOTHING => "object", "Describes this interface to programs.";
    GET "/endpointinfo" "" NOTHING => "text/plain", "Says where this server answers.";
    GET "/version" "version-info" NOTHING => "{Version: string}", "Gets the version.";
    GET "/ver" "" NOTHING => "{Version: string}", "Gets the version.";
    GET "/healthcheck" "health-check-healthcheck" NOTHING => "Message", "Says whether the server is ready.";
    GET "/health" "health-check-health" NOTHING => "Message", "Says whether the server is ready.";
    GET "/ping" "health-check-ping" NOTHING => "Message", "Says whether the server is ready.";
    GET "/readyz" "health-check-readyz" NOTHING => "Message", "Says whether the server is ready.";

    GET "/sysstats/system" "fetch-system-info" AS_TEXT_TOO => "SystemInfo", "Gets what is known of the machine that the server runs on.";
    GET "/sysstats/usage" "fetch-resource-usage" AS_TEXT_TOO => "ResourceUsage", "Gets what the machine and the server use, measured for a second.";

    GET "/cloudos" "list-cloudos" NOTHING => "{cloudos: [string]}", "Lists the providers that CB-Spider knows.";
    GET "/cloudos/metainfo/{CloudOSName}" "get-cloudos-metainfo" NOTHING => "CloudOSMetaInfo", "Gets what CB-Spider knows of a provider.";
    GET "/driver/capability" "get-driver-capability" AT => "DriverCapability", "Gets what the driver of a connection can do.";

    POST "/driver" "register-driver" whole("DriverInfo") => "DriverInfo", "Puts a driver.";
    GET "/driver" "list-driver" OF_A_PROVIDER => "{driver: [DriverInfo]}", "Lists drivers.";
    GET "/driver/{DriverName}" "get-driver" NOTHING => "DriverInfo", "Gets a driver.";
    DELETE "/driver/{DriverName}" "unregister-driver" NOTHING => "Result", "Removes a driver.";
    POST "/credential" "register-credential" whole("CredentialInfo") => "CredentialInfo", "Puts a credential.";
    GET "/credential" "list-credential" OF_A_PROVIDER => "{credential: [CredentialInfo]}", "Lists credentials, their values hidden.";
    GET "/credential/{CredentialName}" "get-credential" NOTHING => "CredentialInfo", "Gets a credential, its values hidden.";
    DELETE "/credential/{CredentialName}" "unregister-credential" NOTHING => "Result", "Removes a credential.";
    POST "/region" "register-region" whole("RegionInfo") => "RegionInfo", "Puts a region.";
    GET "/region" "list-region" OF_A_PROVIDER => "{region: [RegionInfo]}", "Lists regions.";
    GET "/region/{RegionName}" "get-region" NOTHING => "RegionInfo", "Gets a region.";
    DELETE "/region/{RegionName}" "unregister-region" NOTHING => "Result", "Removes a region.";
    POST "/connectionconfig" "create-connection-config" whole("ConnectionConfigInfo") => "ConnectionConfigInfo", "Puts a connection config.";
    GET "/connectionconfig" "list-connection-config" OF_A_PROVIDER => "{connectionconfig: [ConnectionConfigInfo]}", "Lists connection configs.";
    GET "/connectionconfig/{ConfigName}" "get-connection-config" NOTHING => "ConnectionConfigInfo", "Gets a connection config.";
    DELETE "/connectionconfig/{ConfigName}" "delete-connection-config" NOTHING => "Result", "Removes a connection config.";
    GET "/countconnectionconfig" "count-all-connection" NOTHING => "Count", "Counts connection configs.";
    GET "/countconnectionconfig/{ProviderName}" "count-connection-by-provider" NOTHING => "Count", "Counts the connection configs of a provider.";
    POST "/plan/driver" "" whole("DriverInfo") => "DriverInfo", "Refuses what would be refused of a driver that was put, and puts none.";
    POST "/plan/credential" "" whole("CredentialInfo") => "CredentialInfo", "Refuses what would be refused of a credential that was put, and puts none.";
    POST "/plan/region" "" whole("RegionInfo") => "RegionInfo", "Refuses what would be refused of a region that was put, and puts none.";
    POST "/plan/connectionconfig" "" whole("ConnectionConfigInfo") => "ConnectionConfigInfo", "Refuses what would be refused of a connection config that was put after the Driver, Credential and Region of With, and puts none.";
    POST "/plan/import" "" whole("ConnectionConfigInfo") => "object", "Says what Import would come to at a connection config that is put after the Driver, Credential and Region of With, and imports nothing.";

    GET "/regionzone" "list-region-zone" AT => "{regionzone: [RegionZoneInfo]}", "Lists regions with their zones.";
    GET "/regionzone/{Name}" "get-region-zone" AT => "RegionZoneInfo", "Gets a region with its zones.";
    GET "/preconfig/regionzone" "list-region-zone-preconfig" BEFORE_A_CONNECTION => "{regionzone: [RegionZoneInfo]}", "Lists regions with their zones, as a credential sees them of which no connection is made yet.";
    GET "/preconfig/regionzone/{Name}" "get-region-zone-preconfig" BEFORE_A_CONNECTION => "RegionZoneInfo", "Gets a region with its zones, as a credential sees it of which no connection is made yet.";
    GET "/vmimage" "list-image" AT => "{image: [ImageInfo]}", "Lists node images.";
    GET "/vmimage/{Name}" "get-image" AT => "ImageInfo", "Gets a node image.";
    GET "/vmspec" "list-vm-spec" AT => "{vmspec: [VMSpecInfo]}", "Lists machine types.";
    GET "/vmspec/{Name}" "get-vm-spec" AT => "VMSpecInfo", "Gets a machine type.";
};
