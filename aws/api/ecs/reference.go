package ecs

import (
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// defaultCluster is meant where a request names none.
const defaultCluster = "default"

// maxBatch is how many tasks or instances one Describe call takes.
const maxBatch = 100

func clusterNotFound() *fault.Fault {
	return fault.New(fault.ClusterNotFound, "Cluster not found.")
}

// clusterARN is the ARN a name or ARN of a cluster means in a scope.
func clusterARN(scope arn.Scope, ref string) string {
	if ref == "" {
		ref = defaultCluster
	}
	if arn.IsARN(ref) {
		return ref
	}
	return scope.Cluster(ref)
}

// findCluster finds a cluster by name or ARN; nil means the default one.
func findCluster(r store.Reader, scope arn.Scope, ref *string) (*cluster.Cluster, error) {
	c, ok := store.Clusters.Get(r, clusterARN(scope, member.Value(ref)))
	if !ok || c.Scope != scope {
		return nil, clusterNotFound()
	}
	return c, nil
}

// activeCluster is findCluster for what needs the cluster to live on.
func activeCluster(r store.Reader, scope arn.Scope, ref *string) (*cluster.Cluster, error) {
	c, err := findCluster(r, scope, ref)
	if err != nil {
		return nil, err
	}
	if c.Status != cluster.Active {
		return nil, client("The referenced cluster was inactive.")
	}
	return c, nil
}

// identify turns the id or ARN of a task or container instance into its ARN. An
// ARN without the cluster's name, the old short form, is understood.
func identify(c *cluster.Cluster, kind, ref string) (string, error) {
	id := ref
	if arn.IsARN(ref) {
		a, err := arn.Parse(ref)
		if err != nil || a.Service != "ecs" || a.Kind() != kind {
			return "", invalid("Invalid identifier: Unexpected resource '%s'.", ref)
		}
		if path := a.Path(); len(path) == 2 && path[0] != c.Name {
			return "", invalid("Identifier is for %s. Your cluster is %s", path[0], c.Name)
		}
		id = a.Name()
	} else if strings.Contains(ref, "/") || strings.Contains(ref, ":") {
		return "", invalid("Invalid identifier: Unexpected number of separators.")
	}
	if len(id) != 32 && len(id) != 36 {
		word := "taskId"
		if kind == "container-instance" {
			word = "instanceId"
		}
		return "", invalid("%s length should be one of [32,36]", word)
	}
	if kind == "container-instance" {
		return c.Scope.ContainerInstance(c.Name, id), nil
	}
	return c.Scope.Task(c.Name, id), nil
}

// findTask finds a task of a cluster by id or ARN.
func findTask(r store.Reader, c *cluster.Cluster, ref string) (*task.Task, error) {
	key, err := identify(c, "task", ref)
	if err != nil {
		return nil, err
	}
	t, ok := store.Tasks.Get(r, key)
	if !ok {
		return nil, invalid("The referenced task was not found.")
	}
	return t, nil
}

// findInstance finds a container instance of a cluster by id or ARN. Capacity
// that is only offered to Fargate is nobody's container instance.
func findInstance(r store.Reader, c *cluster.Cluster, ref string) (*cluster.Instance, error) {
	key, err := identify(c, "container-instance", ref)
	if err != nil {
		return nil, err
	}
	i, ok := store.Instances.Get(r, key)
	if !ok || !i.OffersEC2 {
		return nil, invalid("The specified container instance was not found. Specify a valid container instance and try again.")
	}
	return i, nil
}
