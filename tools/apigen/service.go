package main

import (
	"fmt"
	"strings"
)

// protocols are the wire's constants for what the service speaks, the one to
// assume first in front.
func (g *generator) protocols() []string {
	var out []string
	md := g.model.Metadata
	listed := md.Protocols
	if len(listed) == 0 {
		listed = []string{md.Protocol}
	}
	for _, p := range listed {
		switch p {
		case "smithy-rpc-v2-cbor":
			out = append(out, "wire.CBOR")
		case "json":
			out = append(out, "wire.AWSJSON"+strings.ReplaceAll(md.JSONVersion, ".", ""))
		case "query":
			out = append(out, "wire.AWSQuery")
		case "ec2":
			out = append(out, "wire.EC2Query")
		case "rest-json":
			out = append(out, "wire.RESTJSON")
		}
	}
	return out
}

// violations says with which fault a service answers a broken constraint, where
// it is not the usual one.
func violations(service string) string {
	switch service {
	case "ecs":
		return "wire.AsECS"
	case "logs":
		return "wire.AsInvalidParameter"
	case "ecr":
		return "wire.AsECR"
	case "ec2":
		return "wire.AsEC2"
	case "servicediscovery":
		return "wire.AsInvalidInput"
	}
	return ""
}

func (g *generator) serviceSource() string {
	var b strings.Builder
	md := g.model.Metadata
	scope := md.SigningName
	if scope == "" {
		scope = md.EndpointPrefix
	}
	pkg := packageName(g.service)
	fmt.Fprintf(&b, "// Package %s is the shapes and the operation table of %s, version %s.\npackage %s\n\n", pkg, g.service, md.APIVersion, pkg)
	b.WriteString("import (\n\"reflect\"\n\n\"github.com/berthhq/berth/aws/wire\"\n)\n\n")
	b.WriteString("// API is how requests to the service look on the wire.\nvar API = wire.NewService(wire.Description{\n")
	fmt.Fprintf(&b, "Name: %q,\nScope: %q,\nVersion: %q,\n", g.service, scope, md.APIVersion)
	if md.TargetPrefix != "" {
		fmt.Fprintf(&b, "TargetPrefix: %q,\n", md.TargetPrefix)
	}
	if md.XMLNamespace != "" {
		fmt.Fprintf(&b, "Namespace: %q,\n", md.XMLNamespace)
	}
	fmt.Fprintf(&b, "Protocols: []wire.Protocol{%s},\n", strings.Join(g.protocols(), ", "))
	if len(md.QueryCompatible) > 0 {
		b.WriteString("QueryCompatible: true,\n")
	}
	if v := violations(g.service); v != "" {
		fmt.Fprintf(&b, "Violations: %s,\n", v)
	}
	b.WriteString("Operations: []wire.Operation{\n")
	for _, op := range g.ops {
		b.WriteString(g.operationSource(op))
	}
	b.WriteString("},\n})\n")
	return b.String()
}

func (g *generator) operationSource(op wanted) string {
	if op.nameOnly {
		return fmt.Sprintf("{Name: %q},\n", op.name)
	}
	o := g.model.Operations[op.name]
	var b strings.Builder
	fmt.Fprintf(&b, "{Name: %q, In: %s, Out: %s", op.name, g.typeSource(o.Input), g.typeSource(o.Output))
	if o.Output != nil && o.Output.ResultWrapper != "" {
		fmt.Fprintf(&b, ", Wrapper: %q", o.Output.ResultWrapper)
	}
	if g.model.Metadata.Protocol == "rest-json" {
		fmt.Fprintf(&b, ", Method: %q, Path: %q", o.HTTP.Method, o.HTTP.RequestURI)
		if o.HTTP.ResponseCode != 0 {
			fmt.Fprintf(&b, ", Status: %d", o.HTTP.ResponseCode)
		}
	}
	b.WriteString("},\n")
	return b.String()
}

func (g *generator) typeSource(r *ref) string {
	if r == nil {
		return "reflect.TypeFor[wire.Empty]()"
	}
	return "reflect.TypeFor[" + g.goNames[r.Shape] + "]()"
}
