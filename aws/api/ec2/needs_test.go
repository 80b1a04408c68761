package ec2_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// Every operation is its own action, on all resources.
func TestAuthorisation(t *testing.T) {
	start := func(t testing.TB) *gatewaytest.Server {
		return gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
			return []gateway.Offer{{Service: shape.API, Handlers: ec2.New(st, network.DefaultCIDR).Operations()}}
		}, nil)
	}
	handlers := ec2.New(nil, network.DefaultCIDR).Operations()
	var cases []gatewaytest.Authorised
	for n := range shape.API.Operations {
		op := shape.API.Operations[n]
		if handlers[op.Name] != nil {
			cases = append(cases, gatewaytest.Authorised{Operation: op.Name, Input: least(op.In), Needs: []gateway.Need{{Action: "ec2:" + op.Name}}})
		}
	}
	gatewaytest.Authorisation(t, start, shape.API, cases)
}

// least is the input with just what the model demands.
func least(in reflect.Type) string {
	var parts []string
	for n := range in.NumField() {
		f := in.Field(n)
		name, options, _ := strings.Cut(f.Tag.Get("wire"), ",")
		if !strings.Contains(","+options+",", ",req,") {
			continue
		}
		for _, o := range strings.Split(options, ",") {
			if q, ok := strings.CutPrefix(o, "query="); ok {
				name = q
			}
		}
		name = strings.ToUpper(name[:1]) + name[1:]
		parts = append(parts, sample(name, f.Type))
	}
	return strings.Join(parts, "&")
}

func sample(name string, t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return name + ".1." + map[string]string{"Tag": "Key=a", "DhcpConfiguration": "Key=a", "SecurityGroupRule": "SecurityGroupRuleId=sgr-1"}[name]
	case t.Kind() == reflect.Slice:
		return name + ".1=x-1"
	case name == "RuleAction":
		return name + "=allow"
	case name == "Attribute":
		return name + "=" + map[string]string{"VpcAttributeName": "enableDnsSupport", "AddressAttributeName": "domain-name"}[t.Name()]
	case name == "InstanceTenancy":
		return name + "=default"
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Bool:
		return name + "=true"
	}
	return name + "=1"
}
