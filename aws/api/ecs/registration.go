package ecs

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// apply is the instance with what the registration says.
func (reg *registration) apply(call *gateway.Call, c *cluster.Cluster, have *cluster.Instance) *cluster.Instance {
	next := *have
	next.Version++
	next.Joined = have.Joined || call.Principal.Agent
	next.Registered = readResources(reg.in)
	next.Attributes = reg.mergeAttributes(have.Attributes)
	reg.describe(&next)
	reg.offer(&next, call.Principal)
	next.CapacityProvider = providerOf(c, &next)
	if info := reg.in.VersionInfo; info != nil {
		next.Agent = cluster.AgentVersion{
			Version: member.Value(info.AgentVersion), Hash: member.Value(info.AgentHash), DockerVersion: member.Value(info.DockerVersion), UpdateStatus: have.Agent.UpdateStatus,
		}
	}
	return &next
}

func readResources(in *ecs.RegisterContainerInstanceRequest) cluster.Resources {
	var out cluster.Resources
	for _, r := range in.TotalResources {
		switch member.Value(r.Name) {
		case "CPU":
			out.CPU = int(member.Value(r.IntegerValue))
		case "MEMORY":
			out.Memory = int(member.Value(r.IntegerValue))
		case "PORTS":
			out.PortsTCP = readPorts(r.StringSetValue)
		case "PORTS_UDP":
			out.PortsUDP = readPorts(r.StringSetValue)
		}
	}
	for _, d := range in.PlatformDevices {
		if d.Type == ecs.PlatformDeviceTypeGpu {
			out.GPUs = append(out.GPUs, member.Value(d.Id))
		}
	}
	return out
}

func readPorts(words []string) []int {
	var out []int
	for _, w := range words {
		if n, err := strconv.Atoi(w); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// mergeAttributes are those of the registration, and those that were put on the
// instance by PutAttributes since: what an agent no longer says of its
// capabilities is gone.
func (reg *registration) mergeAttributes(have []workload.Attribute) []workload.Attribute {
	out := slices.Clone(reg.attributes)
	for _, a := range have {
		if !isBuiltIn(a.Name) && !slices.ContainsFunc(out, func(x workload.Attribute) bool { return x.Name == a.Name }) {
			out = setAttribute(out, a)
		}
	}
	return out
}

func isBuiltIn(name string) bool {
	return strings.HasPrefix(name, "ecs.") || strings.HasPrefix(name, "com.amazonaws.ecs.") || strings.HasPrefix(name, ownPrefix)
}

// setAttribute sets an attribute in a list sorted by name.
func setAttribute(list []workload.Attribute, a workload.Attribute) []workload.Attribute {
	i, found := slices.BinarySearchFunc(list, a, func(x, y workload.Attribute) int { return cmp.Compare(x.Name, y.Name) })
	if found {
		list = slices.Clone(list)
		list[i] = a
		return list
	}
	return slices.Insert(slices.Clone(list), i, a)
}

// describe adds the attributes that AWS adds from the identity document. The
// agent reads its zone back from the answer.
func (reg *registration) describe(i *cluster.Instance) {
	doc := &reg.document
	for _, a := range []workload.Attribute{
		{Name: attributeZone, Value: cmp.Or(doc.AvailabilityZone, i.Zone, i.Scope.Region+"a")},
		{Name: attributeArchitecture, Value: doc.Architecture},
		{Name: attributeInstanceType, Value: doc.InstanceType},
		{Name: attributeImage, Value: doc.ImageID},
		{Name: attributeSystem, Value: "linux"},
	} {
		if _, said := i.Attribute(a.Name); !said && a.Value != "" {
			i.Attributes = setAttribute(i.Attributes, a)
		}
	}
	i.Zone, _ = i.Attribute(attributeZone)
}

// offer reads which capacity the machine offers. Only berth's own agent says so,
// and only the keys of a machine that joined, or the account's own, are believed
// when they offer to run other people's Fargate tasks.
func (reg *registration) offer(i *cluster.Instance, who identity.Principal) {
	word := func(name string) string {
		v, _ := i.Attribute(name)
		return v
	}
	i.OffersEC2 = offersEC2(i.Attributes)
	i.OffersFargate = word(acs.AttributeOffersFargate) == "true" && (who.Agent || who.Kind == identity.Root)
	i.FargateCPUOvercommit = 1
	if n, err := strconv.Atoi(word(acs.AttributeFargateOvercommit)); err == nil && n > 1 {
		i.FargateCPUOvercommit = n
	}
	i.BootID = word(acs.AttributeBootID)
}

func offersEC2(attributes []workload.Attribute) bool {
	return !slices.Contains(attributes, workload.Attribute{Name: acs.AttributeOffersEC2, Value: "false"})
}

// bind ties the keys that an agent got by joining to the instance they first
// registered.
func bind(tx *store.Tx, call *gateway.Call, i *cluster.Instance) error {
	if !call.Principal.Agent || call.Principal.InstanceARN == i.ARN {
		return nil
	}
	have, ok := store.AccessKeys.Get(tx, call.KeyID)
	if !ok {
		return notYours(i.ARN) // the keys were withdrawn while this call was on its way
	}
	key := *have
	key.Principal.InstanceARN = i.ARN
	store.AccessKeys.Put(tx, &key)
	return nil
}
