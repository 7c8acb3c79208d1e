//! The shapes of requests and answers, each once, in the words of `grammar.rs`. That answers have them is what the
//! conversation of every cloud holds against the document.

/// Each by its name.
pub(super) const ALL: &[(&str, &str)] = &[
    // What all have in common.
    ("Message", "message: string"),
    ("Result", "Result: flag"),
    ("Count", "count: integer"),
    ("IID", "NameId: string, SystemId: string"),
    ("KeyValue", "Key: string, Value?: string"),
    ("ConnectionRequest", "ConnectionName: string"),
    ("CSPRequest", "CSPId: string"),
    ("RegisterRequest", "Name: string, CSPId: string"),
    ("VPCRegisterRequest", "VPCName?: string, Name: string, CSPId: string"),
    ("AllList", "AllList: {MappedList: [IID], OnlySpiderList: [IID], OnlyCSPList: [IID]}"),
    (
        "SystemInfo",
        "Hostname: string, Platform: string, PlatformVersion: string, KernelArch: string, KernelVersion: string, \
         Uptime: string, CPUModel: string, PhysicalCores: integer, LogicalCores: integer, ClockSpeed: string, \
         TotalMemory: string, SwapMemory: string, DiskPartitions: [{MountPoint: string, TotalSpace: string}]",
    ),
    (
        "ResourceUsage",
        "SystemCPUPercent: string, SystemCPUCorePercent: object, SystemMemoryUsed: string, \
         SystemMemoryTotal: string, SystemMemoryPercent: string, SystemDiskRead: string, SystemDiskWrite: string, \
         SystemNetSent: string, SystemNetReceived: string, ProcessName: string, ProcessCPUPercent: string, \
         ProcessCPUCorePercent: object, ProcessMemoryUsed: string, ProcessMemoryPercent: string, \
         ProcessDiskRead: string, ProcessDiskWrite: string, ProcessNetSent: string, ProcessNetReceived: string",
    ),
    // Records, and what clouds offer.
    (
        "CloudOSMetaInfo",
        "Region: ~[string], Credential: ~[string], CredentialCSP: ~[string], RootDiskType: ~[string], \
         RootDiskSize: ~[string], DiskType: ~[string], DiskSize: ~[string], IdMaxLength: ~[string], \
         DefaultRegionToQuery: ~[string]",
    ),
    (
        "DriverCapability",
        "ZoneBasedControl: boolean, RegionZoneHandler: boolean, PriceInfoHandler: boolean, ImageHandler: boolean, \
         VMSpecHandler: boolean, VPCHandler: boolean, SecurityHandler: boolean, KeyPairHandler: boolean, \
         VMHandler: boolean, DiskHandler: boolean, MyImageHandler: boolean, NLBHandler: boolean, \
         ClusterHandler: boolean, FileSystemHandler: boolean, QuotaInfoHandler: boolean, RDBMSHandler: boolean, \
         DBSpecHandler: boolean, RDBMSMySQLHandler: boolean, RDBMSMariaDBHandler: boolean, \
         RDBMSPostgreSQLHandler: boolean, PublicIPHandler: boolean, NICHandler: boolean, TagHandler: boolean, \
         TagSupportResourceType: [string], VPC_CIDR: boolean, EMULATED_VPC: boolean, SINGLE_VPC: boolean",
    ),
    ("DriverInfo", "DriverName: string, ProviderName: string, DriverLibFileName: string"),
    ("CredentialInfo", "CredentialName: string, ProviderName: string, KeyValueInfoList: [KeyValue]"),
    (
        "RegionInfo",
        "RegionName: string, ProviderName: string, KeyValueInfoList: [KeyValue], AvailableZoneList?: [string]",
    ),
    (
        "ConnectionConfigInfo",
        "ConfigName: string, ProviderName: string, DriverName: string, CredentialName: string, RegionName: string",
    ),
    (
        "RegionZoneInfo",
        "Name: string, DisplayName: string, CSPDisplayName: string, ZoneList: [ZoneInfo], KeyValueList: [KeyValue]",
    ),
    (
        "ZoneInfo",
        "Name: string, DisplayName: string, CSPDisplayName: string, Status: availability, KeyValueList: [KeyValue]",
    ),
    (
        "ImageInfo",
        "IId: IID, Name: string, OSArchitecture: string, OSPlatform: string, OSDistribution: string, \
         OSDiskType: string, OSDiskSizeGB: string, ImageStatus: string, KeyValueList: [KeyValue]",
    ),
    (
        "VMSpecInfo",
        "Region: string, Name: string, VCpu: {Count: string, ClockGHz: string}, MemSizeMiB: string, \
         DiskSizeGB: string, Gpu: [GpuInfo], KeyValueList: [KeyValue]",
    ),
    ("GpuInfo", "Count: string, Mfr: string, Model: string, MemSizeGB: string, TotalMemSizeGB: string"),
    // Networks, security groups, key pairs.
    ("VPCRequest", "Name: string, IPv4_CIDR: string, SubnetInfoList?: [SubnetRequest], TagList?: [KeyValue]"),
    ("SubnetRequest", "Name: string, Zone?: string, IPv4_CIDR: string, TagList?: [KeyValue]"),
    ("SubnetRegisterRequest", "Name: string, Zone?: string, VPCName: string, CSPId: string"),
    ("SubnetUnregisterRequest", "VPCName: string"),
    (
        "VPCInfo",
        "IId: IID, IPv4_CIDR: string, SubnetInfoList: [SubnetInfo], TagList: [KeyValue], KeyValueList: [KeyValue]",
    ),
    (
        "SubnetInfo",
        "IId: IID, Zone: string, IPv4_CIDR: string, TagList: [KeyValue], KeyValueList: [KeyValue]",
    ),
    (
        "AllVPCInfo",
        "ResourceType: string, AllListInfo: {MappedInfoList: [VPCInfo], OnlySpiderList: [IID], \
         OnlyCSPInfoList: [VPCInfo]}",
    ),
    (
        "SecurityGroupRequest",
        "Name: string, VPCName: string, SecurityRules?: [RuleRequest], TagList?: [KeyValue]",
    ),
    ("RuleRequest", "Direction: string, IPProtocol: string, FromPort?: port, ToPort?: port, CIDR?: string"),
    ("RulesRequest", "RuleInfoList: [RuleRequest]"),
    (
        "SecurityInfo",
        "IId: IID, VpcIID: IID, SecurityRules: [RuleInfo], TagList: [KeyValue], KeyValueList: [KeyValue]",
    ),
    ("RuleInfo", "FromPort: port, ToPort: port, IPProtocol: string, Direction: string, CIDR: string"),
    (
        "AllSecurityInfo",
        "ResourceType: string, AllListInfo: {MappedInfoList: [SecurityInfo], OnlySpiderList: [IID], \
         OnlyCSPInfoList: [SecurityInfo]}",
    ),
    ("KeyPairRequest", "Name: string, TagList?: [KeyValue]"),
    (
        "KeyPairInfo",
        "IId: IID, Fingerprint: string, PublicKey: string, PrivateKey: string, VMUserID: string, \
         TagList: [KeyValue], KeyValueList: [KeyValue]",
    ),
    (
        "AllKeyPairInfo",
        "ResourceType: string, AllListInfo: {MappedInfoList: [KeyPairInfo], OnlySpiderList: [IID], \
         OnlyCSPInfoList: [KeyPairInfo]}",
    ),
    // Clusters and node groups.
    (
        "ClusterRequest",
        "Name: string, Version?: string, VPCName: string, SubnetNames: [string], SecurityGroupNames?: [string], \
         NodeGroupList?: [NodeGroupRequest], TagList?: [KeyValue]",
    ),
    (
        "NodeGroupRequest",
        "Name: string, ImageName?: string, VMSpecName?: string, RootDiskType?: string, RootDiskSize?: string, \
         KeyPairName?: string, OnAutoScaling?: flag, DesiredNodeSize?: number, MinNodeSize?: number, \
         MaxNodeSize?: number",
    ),
    ("AutoScalingRequest", "OnAutoScaling: flag"),
    ("ScalingRequest", "DesiredNodeSize: number, MinNodeSize: number, MaxNodeSize: number"),
    ("UpgradeRequest", "Version: string"),
    ("ClusterRegisterRequest", "VPCName: string, Name: string, CSPId: string, TakeOver?: flag"),
    (
        "ClusterInfo",
        "IId: IID, Version: string, \
         Network: {VpcIID: IID, SubnetIIDs: [IID], SecurityGroupIIDs: [IID]}, \
         NodeGroupList: [NodeGroupInfo], AccessInfo: {Endpoint?: string, Kubeconfig?: string}, \
         Addons: {KeyValueList?: [KeyValue]}, Status: state, CreatedTime: time, TagList?: [KeyValue], \
         KeyValueList?: [KeyValue]",
    ),
    (
        "NodeGroupInfo",
        "IId: IID, ImageIID: IID, VMSpecName: string, RootDiskType?: string, RootDiskSize?: string, \
         KeyPairIID: IID, OnAutoScaling: boolean, DesiredNodeSize: integer, MinNodeSize: integer, \
         MaxNodeSize: integer, Status: state, Nodes?: [IID], KeyValueList?: [KeyValue]",
    ),
    (
        "AllClusterInfo",
        "ResourceType: string, AllListInfo: {MappedInfoList: [ClusterInfo], OnlySpiderList: [IID], \
         OnlyCSPInfoList: [ClusterInfo]}",
    ),
    (
        "MetricData",
        "metricName: string, metricUnit: string, timestampValues: [{timestamp: time, value: string}]",
    ),
    // Machines, tags and what is left.
    (
        "VMInfo",
        "IId: IID, StartTime: time, Region: {Region: string, Zone: string}, ImageType: string, ImageIId: IID, \
         VMSpecName: string, VpcIID: IID, SubnetIID: IID, SecurityGroupIIds: [IID], KeyPairIId: IID, \
         RootDiskType: string, RootDiskSize: string, RootDeviceName: string, DataDiskIIDs: [IID], \
         VMBootDisk: string, VMBlockDisk: string, VMUserId: string, VMUserPasswd: string, NICs: [IID], \
         NetworkInterface: string, PublicIP: string, PublicIPs: [string], PublicDNS: string, PrivateIP: string, \
         PrivateIPs: [string], PrivateDNS: string, Platform: string, SSHAccessPoint: string, AccessPoint: string, \
         TagList: [KeyValue], KeyValueList: [KeyValue]",
    ),
    ("VMStatusInfo", "IId: IID, VmStatus: string"),
    ("TagRequest", "ResourceType: string, ResourceName: string, Tag: KeyValue"),
    ("TaggedRequest", "ResourceType: string, ResourceName: string"),
    ("DestroyedInfo", "IsAllDestroyed: boolean, DeletedAllListByResourceType: [DestroyedKindInfo]"),
    (
        "DestroyedKindInfo",
        "ResourceType: string, IsAllDeleted: boolean, DeletedIIDList: [IID], \
         RemainedErrorInfoList: [{Name: string, ErrorMsg: string}]",
    ),
    (
        "ExecCredential",
        "apiVersion: string, kind: string, status: {token?: string, clientCertificateData?: string, clientKeyData?: string, expirationTimestamp: time}",
    ),
];
