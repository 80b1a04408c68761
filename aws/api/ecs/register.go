package ecs

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// registration is what an agent says of itself and its machine.
type registration struct {
	in         *ecs.RegisterContainerInstanceRequest
	document   identityDocument
	attributes []workload.Attribute
	tags       []workload.Tag
}

// identityDocument is the part that matters of what an instance's metadata says
// of it.
type identityDocument struct {
	AccountID        string `json:"accountId"`
	Region           string `json:"region"`
	InstanceID       string `json:"instanceId"`
	InstanceType     string `json:"instanceType"`
	ImageID          string `json:"imageId"`
	Architecture     string `json:"architecture"`
	AvailabilityZone string `json:"availabilityZone"`
}

func (a *API) registerContainerInstance(ctx context.Context, call *gateway.Call, in *ecs.RegisterContainerInstanceRequest) (*ecs.RegisterContainerInstanceResponse, error) {
	reg, err := readRegistration(in)
	if err != nil {
		return nil, err
	}
	if err := a.prove(call, reg); err != nil {
		return nil, err
	}
	var next *cluster.Instance
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		c, err := reg.cluster(tx, call)
		if err != nil {
			return err
		}
		have, err := reg.known(tx, call, c)
		if err != nil {
			return err
		}
		if have == nil {
			have = a.newInstance(call, c, &reg.document)
			have.Tags = reg.tags
		}
		next = reg.apply(call, c, have)
		store.Instances.Put(tx, next)
		return bind(tx, call, next)
	})
	if err != nil {
		return nil, err
	}
	return &ecs.RegisterContainerInstanceResponse{ContainerInstance: showInstance(v, next, nil)}, nil
}

// cluster is the one that the instance joins. A machine that only offers Fargate
// capacity is in no cluster that anybody sees: its cluster need not exist.
func (reg *registration) cluster(tx *store.Tx, call *gateway.Call) (*cluster.Cluster, error) {
	c, err := activeCluster(tx, call.Scope, reg.in.Cluster)
	if err == nil {
		return c, nil
	}
	if offersEC2(reg.attributes) || !call.Principal.Agent {
		return nil, clusterForAgent(err)
	}
	at, err := arn.Parse(clusterARN(call.Scope, member.Value(reg.in.Cluster)))
	if err != nil {
		return nil, clusterNotFound()
	}
	return &cluster.Cluster{Scope: call.Scope, ARN: at.String(), Name: at.Name()}, nil
}

// clusterForAgent answers an agent whose cluster was deleted as if it had never
// been: it only knows that one answer, and creates the default cluster on it.
func clusterForAgent(err error) error {
	if fault.IsKind(err, fault.Client) {
		return clusterNotFound()
	}
	return err
}

func readRegistration(in *ecs.RegisterContainerInstanceRequest) (*registration, error) {
	reg := &registration{in: in}
	if doc := member.Value(in.InstanceIdentityDocument); doc != "" && json.Unmarshal([]byte(doc), &reg.document) != nil {
		return nil, invalid("Invalid instance identity document.")
	}
	for _, at := range in.Attributes {
		if err := checkAttribute(&at); err != nil {
			return nil, err
		}
		reg.attributes = setAttribute(reg.attributes, workload.Attribute{Name: member.Value(at.Name), Value: member.Value(at.Value)})
	}
	var err error
	reg.tags, err = readTags(nilIfEmpty(in.Tags)) // agents send an empty list
	return reg, err
}

func nilIfEmpty[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// known finds the instance that an agent registers again: the one its keys are
// bound to, the one it names, or the one on the same machine. It is refused to
// whoever does not speak for it. nil means that the instance is new.
func (reg *registration) known(r store.Reader, call *gateway.Call, c *cluster.Cluster) (*cluster.Instance, error) {
	who, named := call.Principal, member.Value(reg.in.ContainerInstanceArn)
	if who.TaskARN != "" {
		return nil, fault.New(fault.AccessDenied, "The credentials of a task cannot register a container instance.")
	}
	if who.InstanceARN != "" && !who.Agent {
		return nil, fault.New(fault.AccessDenied, "The credentials that an instance shows to its programs cannot register a container instance.")
	}
	if who.InstanceARN != "" && named != "" && named != who.InstanceARN {
		return nil, notYours(named)
	}
	if key := cmp.Or(named, who.InstanceARN); key != "" {
		return reg.again(r, call, c, key, named != "")
	}
	if reg.document.InstanceID == "" {
		return nil, nil
	}
	for i := range store.Instances.By(r, store.InstancesByEC2ID, reg.document.InstanceID) {
		if i.ClusterARN == c.ARN && i.DeregisteredAt.IsZero() && i.SpokenForBy(who) {
			return i, nil
		}
	}
	return nil, nil
}

func notYours(instance string) error {
	return fault.New(fault.AccessDenied, "These credentials do not belong to container instance %s.", instance).
		WithHint("an agent's keys belong to the instance that it registered first; make a new join token for a new instance")
}

func (reg *registration) again(r store.Reader, call *gateway.Call, c *cluster.Cluster, key string, named bool) (*cluster.Instance, error) {
	i, ok := store.Instances.Get(r, key)
	switch {
	case !ok && !named:
		return nil, nil // bound to an instance that is forgotten
	case !ok:
		return nil, client("The referenced container instance was not found.")
	case !i.SpokenForBy(call.Principal):
		return nil, notYours(key)
	case i.ClusterARN != c.ARN:
		return nil, client("Container instance cluster changes are not supported.")
	case !i.DeregisteredAt.IsZero() && named:
		return nil, client("The referenced container instance was deregistered. Remove the agent's saved state to register the machine anew.")
	case !i.DeregisteredAt.IsZero():
		return nil, nil
	}
	return i, nil
}

func (a *API) newInstance(call *gateway.Call, c *cluster.Cluster, doc *identityDocument) *cluster.Instance {
	id := a.newID()
	return &cluster.Instance{
		Scope: call.Scope, ARN: call.Scope.ContainerInstance(c.Name, id), ID: id, ClusterARN: c.ARN,
		EC2ID: cmp.Or(doc.InstanceID, "i-"+id[:17]), Status: cluster.InstanceActive, RegisteredAt: call.Now, Role: call.Principal.RoleARN,
		Joined: call.Principal.Agent,
	}
}
