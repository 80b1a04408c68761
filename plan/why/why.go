// Package why explains tasks, services and load balancers: what they wait for, why they failed, and
// what to do about it. It is pure: a view, the history of tasks and the time in, a
// tree of sentences out.
//
// A tree's root is what was asked about. Its children are the causes and parts, the
// most telling first.
package why

import (
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// Node is one thing, and why it is as it is.
type Node struct {
	Subject  string         `json:"subject"`          // an ARN, or "container NAME" and the like within the parent
	State    string         `json:"state,omitempty"`  // AWS's word for it
	Says     string         `json:"says"`             // a full sentence
	Detail   map[string]any `json:"detail,omitempty"` // the numbers behind it
	Since    time.Time      `json:"since,omitzero"`
	Hint     string         `json:"hint,omitempty"` // what to do
	Children []*Node        `json:"children,omitempty"`
}

func (n *Node) add(children ...*Node) {
	for _, c := range children {
		if c != nil {
			n.Children = append(n.Children, c)
		}
	}
}

// History has the stopped tasks that the store has let go of.
type History interface {
	// Task finds one by ARN; nil when there is none, or none any more.
	Task(arn string) (*task.Past, error)
}

// Inquiry is what an explanation looks at.
type Inquiry struct {
	View     *store.View
	History  History // asked after View was taken; nil for none
	Now      time.Time
	Registry []string // host:port of berth's registry in image names
}

// About explains a target: the DNS name or ARN of a load balancer, the ARN of a task or
// a service, or the id or name of one of a cluster, which is named.
func (q *Inquiry) About(scope arn.Scope, cluster, target string) (*Node, error) {
	if arn.IsARN(target) {
		return q.aboutARN(scope, target)
	}
	if strings.Contains(target, ".") {
		return q.Balancer(scope, target)
	}
	c, ok := store.Clusters.Get(q.View, scope.Cluster(cluster))
	if !ok {
		return nil, fault.New(fault.ClusterNotFound, "Cluster not found.").WithHint("berth aws ecs list-clusters shows those there are")
	}
	if isTaskID(target) {
		return q.Task(c.Scope.Task(c.Name, target))
	}
	return q.Service(c.Scope.Service(c.Name, target))
}

func (q *Inquiry) aboutARN(scope arn.Scope, target string) (*Node, error) {
	a, err := arn.Parse(target)
	if err == nil && a.Service == "elasticloadbalancing" && a.Kind() == "loadbalancer" {
		return q.Balancer(scope, target)
	}
	if err != nil || a.Service != "ecs" || a.Kind() != "task" && a.Kind() != "service" {
		return nil, fault.New(fault.InvalidParameter, "Invalid identifier: Unexpected resource '%s'.", target).
			WithHint("give the id or ARN of a task, the name or ARN of a service, or the DNS name or ARN of a load balancer")
	}
	if a.Scope() != scope {
		return nil, fault.New(fault.AccessDenied, "%s is of another account or region.", target)
	}
	if a.Kind() == "service" {
		return q.Service(target)
	}
	return q.Task(target)
}

func isTaskID(s string) bool { return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == "" }

// Task explains a task.
func (q *Inquiry) Task(key string) (*Node, error) {
	if t, ok := store.Tasks.Get(q.View, key); ok {
		def, ok := store.TaskDefinitions.Get(q.View, t.Spec.DefinitionARN)
		if !ok {
			def = &workload.Definition{ARN: t.Spec.DefinitionARN}
		}
		return q.task(t, def), nil
	}
	if q.History != nil {
		p, err := q.History.Task(key)
		if err != nil {
			return nil, err
		}
		if p != nil {
			return q.task(&p.Task, &p.Definition), nil
		}
	}
	return nil, fault.New(fault.InvalidParameter, "The referenced task was not found.").
		WithHint("check the cluster; a stopped task is forgotten after the time that --keep-stopped says")
}

// name is the last part of an ARN.
func name(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }

// ago is how long something lasts, for people: no finer than it needs to be.
func (q *Inquiry) ago(at time.Time) string { return lasting(q.Now.Sub(at)) }

func lasting(d time.Duration) string {
	if d < time.Second {
		return "less than a second"
	}
	unit := time.Second
	switch {
	case d >= 48*time.Hour:
		unit = time.Hour
	case d >= time.Hour:
		unit = time.Minute
	}
	s := d.Round(unit).String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, nothing) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// sentence makes one of clauses that follow a colon.
func sentence(before, clause string) string {
	if len(clause) > 1 && clause[1] >= 'a' && clause[1] <= 'z' || strings.HasPrefix(clause, "A ") {
		clause = strings.ToLower(clause[:1]) + clause[1:]
	}
	return before + strings.TrimSuffix(clause, ".") + "."
}
