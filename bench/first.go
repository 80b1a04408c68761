package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/berthhq/berth/client"
)

const (
	firstTasks = 30
	servedAt   = "8080"
)

// firstRequest measures budget 17: a service behind an Application balancer gets a
// second task, again and again, while somebody asks the balancer every millisecond.
// The other target is healthy all the time, so that the new one has to be found healthy
// too. What counts is the time from when the task is shown RUNNING, and its program
// listens, to the first answer that comes from it; the time from startedAt has in it how
// long the program takes to begin.
func firstRequest(ctx context.Context, b *bench) (result, error) {
	h, err := b.house(ctx)
	if err != nil {
		return result{}, err
	}
	r, err := h.startRoad(ctx)
	if err != nil {
		return result{}, err
	}
	asking, stop := context.WithCancel(ctx)
	defer stop()
	go r.ask(asking)
	err = r.until(ctx, "an answer", func() (bool, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.first) > 0, nil
	})
	for range firstTasks {
		if err == nil {
			err = r.grow(ctx)
		}
	}
	if err != nil {
		return result{}, errors.Join(err, r.close(ctx))
	}
	return result{Figures: []figure{
		{Name: "p50", Value: r.ready.at(50), Unit: "ms"},
		{Name: "p99", Value: r.ready.at(99), Unit: "ms", Most: 20},
		{Name: "from startedAt p50", Value: r.started.at(50), Unit: "ms"},
		{Name: "p99", Value: r.started.at(99), Unit: "ms"},
		{Name: "of it until it listened p50", Value: r.listened.at(50), Unit: "ms"},
		{Name: "until RUNNING was seen p50", Value: r.seen.at(50), Unit: "ms"},
	}, Note: fmt.Sprintf("%d tasks, EC2, awsvpc, the balancer asked each millisecond", firstTasks)}, r.close(ctx)
}

// road is a service behind a balancer.
type road struct {
	*house
	node, service string
	balancer      string // ARN
	group         string

	ready, started, listened, seen durations

	mu    sync.Mutex
	first map[string]heard // by address
}

// heard is the first answer of a target.
type heard struct {
	at       time.Time
	listened time.Time // when its program did, as it says
}

const (
	elbVersion = "2015-12-01"
	ec2Version = "2016-11-15"
)

func (h *house) elb(ctx context.Context, action string, params url.Values, out any) error {
	return h.client.Query(ctx, "elasticloadbalancing", action, elbVersion, params, out)
}

func (h *house) startRoad(ctx context.Context) (*road, error) {
	r := &road{house: h, service: "first", first: map[string]heard{}}
	subnets, err := h.client.DefaultSubnets(ctx)
	if err != nil {
		return nil, err
	}
	vpc, security, err := h.openGroup(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.balance(ctx, subnets, vpc, security); err != nil {
		return nil, err
	}
	definition, err := register(ctx, h.client, map[string]any{
		"family": "first", "requiresCompatibilities": []string{"EC2"}, "networkMode": "awsvpc",
		"containerDefinitions": []any{map[string]any{
			"name": "main", "image": image, "cpu": 16, "memory": 32, "command": []string{"serve", ":" + servedAt},
			"portMappings": []any{map[string]any{"containerPort": 8080}},
		}},
	})
	if err != nil {
		return nil, err
	}
	return r, h.client.Call(ctx, client.ECS, "CreateService", map[string]any{
		"serviceName": r.service, "taskDefinition": definition, "desiredCount": 1, "launchType": "EC2",
		"networkConfiguration": map[string]any{"awsvpcConfiguration": map[string]any{"subnets": subnets, "securityGroups": []string{security}}},
		"loadBalancers":        []any{map[string]any{"targetGroupArn": r.group, "containerName": "main", "containerPort": 8080}},
	}, nil)
}

// openGroup makes a security group of the default VPC that lets in what is served.
func (h *house) openGroup(ctx context.Context) (vpc, group string, err error) {
	var vpcs struct {
		IDs []string `xml:"vpcSet>item>vpcId"`
	}
	ec2 := func(action string, params url.Values, out any) error {
		return h.client.Query(ctx, "ec2", action, ec2Version, params, out)
	}
	if err := ec2("DescribeVpcs", url.Values{"Filter.1.Name": {"is-default"}, "Filter.1.Value.1": {"true"}}, &vpcs); err != nil {
		return "", "", err
	}
	if len(vpcs.IDs) == 0 {
		return "", "", errors.New("there is no default VPC")
	}
	var made struct {
		ID string `xml:"groupId"`
	}
	if err := ec2("CreateSecurityGroup", url.Values{"GroupName": {"first"}, "GroupDescription": {"what is served"}, "VpcId": {vpcs.IDs[0]}}, &made); err != nil {
		return "", "", err
	}
	return vpcs.IDs[0], made.ID, ec2("AuthorizeSecurityGroupIngress", url.Values{
		"GroupId": {made.ID}, "IpPermissions.1.IpProtocol": {"tcp"}, "IpPermissions.1.FromPort": {"80"}, "IpPermissions.1.ToPort": {servedAt},
		"IpPermissions.1.IpRanges.1.CidrIp": {"0.0.0.0/0"},
	}, nil)
}

// balance makes the balancer, its group and its listener.
func (r *road) balance(ctx context.Context, subnets []string, vpc, security string) error {
	params := url.Values{"Name": {"first"}, "Scheme": {"internal"}, "SecurityGroups.member.1": {security}}
	for n, s := range subnets {
		params.Set(fmt.Sprintf("Subnets.member.%d", n+1), s)
	}
	var made struct {
		Balancer string `xml:"CreateLoadBalancerResult>LoadBalancers>member>LoadBalancerArn"`
		Group    string `xml:"CreateTargetGroupResult>TargetGroups>member>TargetGroupArn"`
	}
	if err := r.elb(ctx, "CreateLoadBalancer", params, &made); err != nil {
		return err
	}
	if err := r.elb(ctx, "CreateTargetGroup", url.Values{
		"Name": {"first"}, "Protocol": {"HTTP"}, "Port": {servedAt}, "VpcId": {vpc}, "TargetType": {"ip"},
	}, &made); err != nil {
		return err
	}
	r.balancer, r.group = made.Balancer, made.Group
	if err := r.elb(ctx, "ModifyTargetGroupAttributes", url.Values{
		"TargetGroupArn": {r.group}, "Attributes.member.1.Key": {"deregistration_delay.timeout_seconds"}, "Attributes.member.1.Value": {"0"},
	}, nil); err != nil {
		return err
	}
	if err := r.elb(ctx, "CreateListener", url.Values{
		"LoadBalancerArn": {r.balancer}, "Protocol": {"HTTP"}, "Port": {"80"},
		"DefaultActions.member.1.Type": {"forward"}, "DefaultActions.member.1.TargetGroupArn": {r.group},
	}, nil); err != nil {
		return err
	}
	_, name, _ := strings.Cut(r.balancer, "loadbalancer/")
	var nodes struct {
		Addresses []string `xml:"networkInterfaceSet>item>privateIpAddress"`
	}
	return r.until(ctx, "a node", func() (bool, error) {
		err := r.client.Query(ctx, "ec2", "DescribeNetworkInterfaces", ec2Version, url.Values{"Filter.1.Name": {"description"}, "Filter.1.Value.1": {"ELB " + name}}, &nodes)
		if len(nodes.Addresses) > 0 {
			r.node = nodes.Addresses[0]
		}
		return r.node != "", err
	})
}

// until asks each millisecond until it is so.
func (r *road) until(ctx context.Context, what string, so func() (bool, error)) error {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if done, err := so(); done || err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("waited in vain for %s", what)
}

// ask asks the balancer every millisecond, and notes who answers when first.
func (r *road) ask(ctx context.Context) {
	c := &http.Client{Timeout: 10 * time.Second}
	for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		answer, err := c.Get("http://" + r.node + "/")
		if err != nil {
			continue // the node is not there yet
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		now := time.Now()
		listened, bad := moment(string(text))
		if err != nil || bad != nil || answer.StatusCode != http.StatusOK {
			continue
		}
		who := strings.Fields(string(text))[1]
		r.mu.Lock()
		if _, known := r.first[who]; !known {
			r.first[who] = heard{now, listened}
		}
		r.mu.Unlock()
	}
}

// heard is the first answer of the target at an address.
func (r *road) heard(who string) (heard, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, ok := r.first[who]
	return h, ok
}

// forget lets a later target of the same address be heard.
func (r *road) forget(who string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.first, who)
}

// grow has the service run a second task, measures it, and goes back to one.
func (r *road) grow(ctx context.Context) error {
	before, err := r.client.ServiceTasks(ctx, "default", r.service)
	if err != nil {
		return err
	}
	if err := r.want(ctx, 2); err != nil {
		return err
	}
	var added string
	if err := r.until(ctx, "a task", func() (bool, error) {
		now, err := r.client.ServiceTasks(ctx, "default", r.service)
		for _, arn := range now {
			if arn != before[0] {
				added = arn
			}
		}
		return added != "", err
	}); err != nil {
		return err
	}
	if err := r.measure(ctx, added); err != nil {
		return err
	}
	return r.shrink(ctx, before[0], added)
}

func (r *road) want(ctx context.Context, n int) error {
	return r.client.Call(ctx, client.ECS, "UpdateService", map[string]any{"service": r.service, "desiredCount": n}, nil)
}

// shown is what DescribeTasks shows of a task.
type shown struct {
	Status    string  `json:"lastStatus"`
	StartedAt float64 `json:"startedAt"`
	Reason    string  `json:"stoppedReason"`
	Attached  []struct {
		Details []struct{ Name, Value string } `json:"details"`
	} `json:"attachments"`
}

func (r *road) show(ctx context.Context, arn string) (*shown, error) {
	var out struct{ Tasks []shown }
	err := r.client.Call(ctx, client.ECS, "DescribeTasks", map[string]any{"tasks": []string{arn}}, &out)
	if err == nil && len(out.Tasks) == 0 {
		err = fmt.Errorf("there is no task %s", arn)
	}
	if err != nil {
		return nil, err
	}
	return &out.Tasks[0], nil
}

// address is where a task is asked.
func (s *shown) address() string {
	for _, a := range s.Attached {
		for _, d := range a.Details {
			if d.Name == "privateIPv4Address" {
				return d.Value + ":" + servedAt
			}
		}
	}
	return ""
}

func (r *road) measure(ctx context.Context, arn string) error {
	var t *shown
	if err := r.until(ctx, "a running task", func() (done bool, err error) {
		if t, err = r.show(ctx, arn); err == nil && t.Status == "STOPPED" {
			err = errors.New(t.Reason)
		}
		return err == nil && t.Status == "RUNNING", err
	}); err != nil {
		return err
	}
	seen, started := time.Now(), time.UnixMilli(int64(t.StartedAt*1000))
	var first heard
	if err := r.until(ctx, "the first answer of a task", func() (come bool, err error) {
		first, come = r.heard(t.address())
		return come, nil
	}); err != nil {
		return err
	}
	begun := seen
	if first.listened.After(seen) {
		begun = first.listened
	}
	r.ready, r.started = append(r.ready, max(0, first.at.Sub(begun))), append(r.started, first.at.Sub(started))
	r.listened, r.seen = append(r.listened, first.listened.Sub(started)), append(r.seen, seen.Sub(started))
	return nil
}

// shrink ends one of the two and waits until it has gone.
func (r *road) shrink(ctx context.Context, tasks ...string) error {
	if err := r.want(ctx, 1); err != nil {
		return err
	}
	return r.until(ctx, "a task that stops", func() (bool, error) {
		for _, arn := range tasks {
			t, err := r.show(ctx, arn)
			if err != nil {
				return false, err
			}
			if t.Status == "STOPPED" {
				r.forget(t.address())
				return true, nil
			}
		}
		return false, nil
	})
}

func (r *road) close(ctx context.Context) error {
	return firstOf(
		r.client.Call(ctx, client.ECS, "DeleteService", map[string]any{"service": r.service, "force": true}, nil),
		r.elb(ctx, "DeleteLoadBalancer", url.Values{"LoadBalancerArn": {r.balancer}}, nil),
	)
}
