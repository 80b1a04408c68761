package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/berthhq/berth/client"
)

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

func (r *road) close(ctx context.Context) error {
	return firstOf(
		r.client.Call(ctx, client.ECS, "DeleteService", map[string]any{"service": r.service, "force": true}, nil),
		r.elb(ctx, "DeleteLoadBalancer", url.Values{"LoadBalancerArn": {r.balancer}}, nil),
	)
}
