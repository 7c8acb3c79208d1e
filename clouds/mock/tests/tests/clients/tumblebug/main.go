// What CB-Tumblebug asks of CB-Spider, in its order and with its bodies, and what it asserts of the answers. Without
// dependencies: net/http is what it sends with.
package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"
)

type object = map[string]any

type iid struct{ NameId, SystemId string }

type nodeGroup struct {
	IId                                       iid
	OnAutoScaling                             bool
	DesiredNodeSize, MinNodeSize, MaxNodeSize int
	Status                                    string
}

type cluster struct {
	IId           iid
	Version       string
	NodeGroupList []nodeGroup
	AccessInfo    struct{ Endpoint, Kubeconfig string }
	Status        string
	CreatedTime   time.Time
}

type vpc struct {
	IId            iid
	SubnetInfoList []struct{ IId iid }
}

type result struct{ Result string }

// Names of records, and the uids under which Tumblebug makes everything.
const (
	connection  = "mock-default"
	vpcName     = "d1aaaaaaaaaaaaaaaaaa"
	subnetName  = "d1bbbbbbbbbbbbbbbbbb"
	secondName  = "d1cccccccccccccccccc"
	groupName   = "d1dddddddddddddddddd"
	keyName     = "d1eeeeeeeeeeeeeeeeee"
	clusterName = "d1ffffffffffffffffff"
)

var (
	spider *client
	at     = object{"ConnectionName": connection}
)

func asks(body object) object {
	return object{"NameSpace": "", "ConnectionName": connection, "ReqInfo": body}
}

func get[T any](path string, keep time.Duration) T {
	var into T
	err := spider.call("GET", path, at, &into, keep)
	check(err == nil, "GET %s: %v", path, err)
	return into
}

func change[T any](method, path string, body object) T {
	var into T
	err := spider.call(method, path, body, &into, 0)
	check(err == nil, "%s %s: %v", method, path, err)
	return into
}

// isTrue: Tumblebug compares the text.
func isTrue(method, path string, body object) {
	answer := change[result](method, path, body)
	check(answer.Result == "true", "%s %s: Result is %q", method, path, answer.Result)
}

func refused(method, path string, body object) *refusal {
	var into object
	var says *refusal
	err := spider.call(method, path, body, &into, 0)
	check(errors.As(err, &says), "%s %s is not refused: %v", method, path, err)
	return says
}

func main() {
	spider = &client{base: os.Args[1], user: os.Args[2], password: os.Args[3], kept: map[string]kept{}}
	register()
	network()
	catalog()
	clusters()
	remove()
	check(spider.fromMemory > 0, "nothing was read from memory")
	fmt.Printf("%d requests, %d answers from memory\n", spider.sent, spider.fromMemory)
}

func register() {
	get[object]("/readyz", 0)
	change[object]("POST", "/driver", object{
		"ProviderName": "MOCK", "DriverName": "mock-driver-v1.0.so", "DriverLibFileName": "mock-driver-v1.0.so",
	})
	pair := func(key, value string) object { return object{"Key": key, "Value": value} }
	for _, name := range []string{"mock-default", "mock-default-default-z1"} {
		change[object]("POST", "/region", object{
			"RegionName": name, "ProviderName": "MOCK",
			"KeyValueInfoList":  []object{pair("Region", "default"), pair("Zone", "default-z1")},
			"AvailableZoneList": []string{"default-z1"},
		})
	}
	regions := get[struct{ Region []struct{ RegionName string } }]("/region", 5*time.Second)
	check(len(regions.Region) == 2, "regions: %v", regions)
	get[object]("/region/mock-default", 5*time.Second)
	change[object]("POST", "/credential", object{
		"CredentialName": "mock", "ProviderName": "MOCK", "KeyValueInfoList": []object{pair("MockName", "tumblebug")},
	})
	change[object]("POST", "/connectionconfig", object{
		"ConfigName": connection, "ProviderName": "MOCK", "DriverName": "mock-driver-v1.0.so", "CredentialName": "mock",
		"RegionName": "mock-default",
	})
	get[object]("/connectionconfig", 5*time.Second)
	// Whoever may list key pairs has a connection that works.
	all := get[struct {
		AllList struct{ MappedList, OnlySpiderList, OnlyCSPList []iid }
	}]("/allkeypair", 0)
	check(all.AllList.MappedList != nil && all.AllList.OnlyCSPList != nil, "allkeypair: %v", all)
}

func network() {
	subnet := func(name, cidr string) object {
		return object{"Name": name, "IPv4_CIDR": cidr, "Zone": "default-z1"}
	}
	made := change[vpc]("POST", "/vpc", asks(object{
		"Name": vpcName, "IPv4_CIDR": "10.0.0.0/16", "SubnetInfoList": []object{subnet(subnetName, "10.0.1.0/24")},
	}))
	check(made.IId.NameId == vpcName && made.IId.SystemId != "", "vpc: %v", made)
	check(made.SubnetInfoList[0].IId.NameId == subnetName, "subnets: %v", made)
	more := change[vpc]("POST", "/vpc/"+vpcName+"/subnet", asks(subnet(secondName, "10.0.2.0/24")))
	check(len(more.SubnetInfoList) == 2, "subnets: %v", more)
	for range 3 {
		check(len(get[vpc]("/vpc/"+vpcName, 10*time.Second).SubnetInfoList) == 2, "the VPC changes")
	}
	get[object]("/vpc/"+vpcName+"/subnet/"+secondName+"?ConnectionName="+connection, 0)
	isTrue("DELETE", "/vpc/"+vpcName+"/subnet/"+secondName, at)
	says := refused("POST", "/vpc", asks(object{"Name": vpcName, "IPv4_CIDR": "10.0.0.0/16"}))
	check(says.isConflict() && !says.isNotFound(), "a second VPC of the name: %v", says)
	get[object]("/allvpc", 0)
	get[object]("/allvpcinfo", 0)

	rule := func(protocol, from, to string) object {
		return object{"FromPort": from, "ToPort": to, "IPProtocol": protocol, "Direction": "inbound", "CIDR": "0.0.0.0/0"}
	}
	group := change[struct{ IId, VpcIID iid }]("POST", "/securitygroup", asks(object{
		"Name": groupName, "VPCName": vpcName,
		"SecurityRules": []object{rule("TCP", "1", "65535"), rule("UDP", "1", "65535"), rule("ICMP", "-1", "-1")},
	}))
	check(group.IId.NameId == groupName && group.VpcIID.NameId == vpcName, "security group: %v", group)
	get[object]("/securitygroup/"+groupName, 5*time.Second)
	get[object]("/allsecuritygroup", 0)

	key := change[struct {
		IId                             iid
		PrivateKey, VMUserID, PublicKey string
	}]("POST", "/keypair", asks(object{"Name": keyName}))
	check(key.IId.NameId == keyName && key.PrivateKey != "" && key.VMUserID != "", "key pair without its private half")
	get[object]("/keypair/"+keyName+"?ConnectionName="+connection, 0)
}

func catalog() {
	specs := get[struct {
		Vmspec []struct {
			Name, MemSizeMiB string
			VCpu             struct{ Count string }
		}
	}]("/vmspec", 300*time.Second)
	check(len(specs.Vmspec) > 0 && specs.Vmspec[0].VCpu.Count != "", "specs: %v", specs)
	get[object]("/vmspec/"+specs.Vmspec[0].Name, 300*time.Second)
	images := get[struct{ Image []struct{ Name string } }]("/vmimage", 300*time.Second)
	check(len(images.Image) > 0, "no image")
	get[object]("/vmimage/"+url.QueryEscape(images.Image[0].Name), 300*time.Second)
}

func clusters() {
	group := func(name string) object {
		return object{
			"Name": name, "ImageName": "mock-vmimage-01", "VMSpecName": "mock-vmspec-01", "RootDiskType": "default",
			"RootDiskSize": "", "KeyPairName": keyName, "OnAutoScaling": "true", "DesiredNodeSize": "1",
			"MinNodeSize": "1", "MaxNodeSize": "2",
		}
	}
	create := asks(object{
		"Name": clusterName, "Version": "1.33", "VPCName": vpcName, "SubnetNames": []string{subnetName},
		"SecurityGroupNames": []string{groupName}, "NodeGroupList": []object{group("ng01")},
	})
	made := change[cluster]("POST", "/cluster", create)
	check(made.IId.NameId == clusterName && made.IId.SystemId != "", "cluster: %v", made)
	check(!made.CreatedTime.IsZero(), "CreatedTime: %v", made.CreatedTime)
	says := refused("POST", "/cluster", create)
	check(says.isConflict(), "a second cluster of the name: %v", says)
	active(1)

	path := "/cluster/" + clusterName + "/nodegroup"
	whole := change[cluster]("POST", path, asks(group("ng02")))
	check(whole.IId.NameId == clusterName && whole.group("ng02") != nil, "the cluster with ng02: %v", whole)
	active(2)
	isTrue("PUT", path+"/ng02/onautoscaling", asks(object{"OnAutoScaling": "false"}))
	isTrue("PUT", path+"/ng02/onautoscaling", asks(object{"OnAutoScaling": "true"}))
	sized := change[nodeGroup]("PUT", path+"/ng02/autoscalesize", asks(object{
		"DesiredNodeSize": "2", "MinNodeSize": "1", "MaxNodeSize": "3",
	}))
	check(sized.IId.NameId == "ng02" && sized.MaxNodeSize == 3, "node group: %v", sized)
	higher := change[cluster]("PUT", "/cluster/"+clusterName+"/upgrade", asks(object{"Version": "1.34"}))
	check(higher.IId.NameId == clusterName, "upgraded: %v", higher)
	check(active(2).Version[:4] == "1.34", "the version after the upgrade")

	token := get[struct {
		Kind   string
		Status struct{ Token string }
	}]("/cluster/"+clusterName+"/token?ConnectionName="+connection, 0)
	check(token.Kind == "ExecCredential" && token.Status.Token != "", "token")
	native := get[cluster]("/cluster/"+clusterName+"?KubeconfigType=native", 0)
	check(native.AccessInfo.Kubeconfig != "", "no kubeconfig of the cloud's form")
}

func (c cluster) group(name string) *nodeGroup {
	for index, group := range c.NodeGroupList {
		if group.IId.NameId == name {
			return &c.NodeGroupList[index]
		}
	}
	return nil
}

// active polls until the cluster and that many node groups are in order.
func active(groups int) cluster {
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(50 * time.Millisecond) {
		seen := get[cluster]("/cluster/"+clusterName, 0)
		ready := seen.Status == "Active" && len(seen.NodeGroupList) == groups
		for _, group := range seen.NodeGroupList {
			ready = ready && group.Status == "Active"
		}
		if ready {
			return seen
		}
	}
	check(false, "the cluster is not in order after a minute")
	return cluster{}
}

func remove() {
	isTrue("DELETE", "/cluster/"+clusterName+"/nodegroup/ng02?force=true", at)
	isTrue("DELETE", "/cluster/"+clusterName+"?force=true", at)
	check(refused("GET", "/cluster/"+clusterName, at).isNotFound(), "the cluster that is gone")
	check(refused("DELETE", "/cluster/"+clusterName, at).isNotFound(), "the cluster that is gone")
	isTrue("DELETE", "/keypair/"+keyName, at)
	isTrue("DELETE", "/securitygroup/"+groupName, at)
	isTrue("DELETE", "/vpc/"+vpcName+"/subnet/"+subnetName+"?force=true", at)
	isTrue("DELETE", "/vpc/"+vpcName, at)
	check(refused("GET", "/vpc/"+vpcName, at).isNotFound(), "the VPC that is gone")
}
