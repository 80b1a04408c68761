package balancer

import (
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
)

// maxName is how long the name of a balancer or target group may be.
const maxName = 32

// CheckName refuses what is no name. noun begins the sentence: "Load balancer".
func CheckName(noun, name string) error {
	refuse := func(why string) error {
		return fault.New(fault.Validation, "%s name '%s' %s", noun, name, why)
	}
	switch {
	case name == "":
		return refuse("cannot be empty")
	case len(name) > maxName:
		return refuse("cannot be longer than '32' characters")
	case strings.ContainsFunc(name, func(c rune) bool { return !nameCharacter(c) }):
		return refuse("can only contain characters that are alphanumeric characters and hyphens(-)")
	case name[0] == '-' || name[len(name)-1] == '-':
		return refuse("cannot begin or end with a hyphen(-)")
	case strings.HasPrefix(name, "internal-") && noun == "Load balancer":
		return refuse("cannot begin with 'internal-'")
	}
	return nil
}

func nameCharacter(c rune) bool {
	return c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// prefix is what the resources of a balancer's kind begin with in ARNs.
func (k Kind) prefix() string {
	if k == Network {
		return "net"
	}
	return "app"
}

// ARNOf is the ARN of a balancer of the second API; id is 16 hex digits, or "*".
func ARNOf(s arn.Scope, k Kind, name, id string) string {
	return s.Of("elasticloadbalancing", "loadbalancer/"+k.prefix()+"/"+name+"/"+id)
}

// GroupARN is the ARN of a target group; id is 16 hex digits, or "*".
func GroupARN(s arn.Scope, name, id string) string {
	return s.Of("elasticloadbalancing", "targetgroup/"+name+"/"+id)
}

// TrustStoreARN is the ARN of a trust store; id is 16 hex digits, or "*".
func TrustStoreARN(s arn.Scope, name, id string) string {
	return s.Of("elasticloadbalancing", "truststore/"+name+"/"+id)
}

// ChildARN is the ARN of a listener of a balancer, kind "listener", or of a rule of a
// listener, kind "listener-rule".
func ChildARN(parent, kind, id string) string {
	head, path, _ := strings.Cut(parent, "/")
	return head[:strings.LastIndexByte(head, ':')+1] + kind + "/" + path + "/" + id
}

// NodeDescription is the description of the interfaces of a balancer's nodes:
// "ELB app/NAME/ID", of Classic ones "ELB NAME".
func (b *Balancer) NodeDescription() string {
	_, path, _ := strings.Cut(b.ARN, "loadbalancer/")
	return "ELB " + path
}

// DNSNameOf is the name that a balancer's nodes are found under; id is its 16 hex digits.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
func DNSNameOf(b *Balancer, id string) string {
	if b.Kind == Network {
		return b.Name + "-" + id + ".elb." + b.Scope.Region + ".amazonaws.com"
	}
	number, _ := strconv.ParseUint(id[:8], 16, 64) // ids are hex
	name := b.Name + "-" + strconv.FormatUint(number, 10) + "." + b.Scope.Region + ".elb.amazonaws.com"
	if b.Scheme == Internal {
		return "internal-" + name
	}
	return name
}
