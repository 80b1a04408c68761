package main

import (
	"reflect"
	"slices"
	"strings"
	"time"

	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/berthhq/berth/aws/wire"
)

// style is how a service spells its members on the wire.
type style int

const (
	asGo       style = iota // as the Go field
	lowerFirst              // with a lower first letter
	ec2                     // the query as the Go field, XML with a lower first letter
)

func styleOf(s *wire.Service) style {
	switch s.Name {
	case "ecs", "ecr", "logs":
		return lowerFirst
	case "ec2":
		return ec2
	}
	return asGo
}

func (s style) member(field string) (name string, r *ref) {
	lower := strings.ToLower(field[:1]) + field[1:]
	switch s {
	case lowerFirst:
		return lower, &ref{}
	case ec2:
		if set, ok := sets[field]; ok {
			lower = set
		}
		return field, &ref{LocationName: lower, QueryName: field}
	}
	return field, &ref{}
}

// sets are EC2's lists whose names in XML follow no rule.
var sets = map[string]string{
	"ImageWatermarks":          "imageWatermarkSet",
	"SupportedInstanceTypes":   "supportedInstanceTypeSet",
	"UnsupportedInstanceTypes": "unsupportedInstanceTypeSet",
	"PayerResponsibilities":    "payerResponsibilitySet",
	"InterfaceTypes":           "interfaceTypeSet",
}

// unions are the client's types for the members of unions, which reflection does
// not find from the union.
var unions = []reflect.Type{
	reflect.TypeFor[ecstypes.ServiceConnectContainerConfigurationMemberLogLevel](),
	reflect.TypeFor[ecstypes.SharingStrategyMemberNvidiaMps](),
	reflect.TypeFor[ecstypes.GatewayConnectionResourcesMemberHostSharedAlb](),
	reflect.TypeFor[cloudwatchtypes.EvaluationWindowMemberSlidingWindow](),
	reflect.TypeFor[cloudwatchtypes.EvaluationWindowMemberWallClockWindow](),
	reflect.TypeFor[iamtypes.PolicyIdentifierMemberPolicyArn](),
	reflect.TypeFor[iamtypes.PolicyIdentifierMemberInlinePolicyIdentifier](),
	reflect.TypeFor[iamtypes.PolicyIdentifierMemberPolicyType](),
}

// shape and ref are the models' JSON.
type shape struct {
	Type    string          `json:"type"`
	Members map[string]*ref `json:"members,omitempty"`
	Member  *ref            `json:"member,omitempty"`
	Key     *ref            `json:"key,omitempty"`
	Value   *ref            `json:"value,omitempty"`
	Enum    []string        `json:"enum,omitempty"`
}

type ref struct {
	Shape        string `json:"shape"`
	LocationName string `json:"locationName,omitempty"`
	QueryName    string `json:"queryName,omitempty"`
}

// differ collects what the client's types have beyond ours.
type differ struct {
	style  style
	shapes map[string]*shape
	seen   map[reflect.Type]bool
}

// structure compares a struct of ours with the client's and descends.
func (d *differ) structure(ours, theirs reflect.Type) {
	if d.seen[ours] || ours == reflect.TypeFor[wire.Empty]() {
		return
	}
	d.seen[ours] = true
	for i := range theirs.NumField() {
		sf := theirs.Field(i)
		if !sf.IsExported() || sf.Name == "ResultMetadata" {
			continue
		}
		mine, ok := ours.FieldByName(sf.Name)
		if !ok {
			d.add(ours.Name(), sf)
			continue
		}
		d.both(mine.Type, sf.Type)
	}
}

func (d *differ) both(ours, theirs reflect.Type) {
	ours, theirs = plain(ours), plain(theirs)
	switch {
	case ours.Kind() != theirs.Kind() || ours == reflect.TypeFor[time.Time]():
	case ours.Kind() == reflect.Struct:
		d.structure(ours, theirs)
	case ours.Kind() == reflect.Slice:
		d.both(ours.Elem(), theirs.Elem())
	case ours.Kind() == reflect.Map:
		d.both(ours.Key(), theirs.Key())
		d.both(ours.Elem(), theirs.Elem())
	case ours.Kind() == reflect.String:
		d.enum(ours, theirs)
	}
}

func plain(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// enum adds values that ours lacks, when ours has a list at all.
func (d *differ) enum(ours, theirs reflect.Type) {
	mine, theirValues := values(ours), values(theirs)
	if len(mine) == 0 {
		return
	}
	for _, v := range theirValues {
		if !slices.Contains(mine, v) {
			s := d.shape(ours.Name(), "string")
			if !slices.Contains(s.Enum, v) {
				s.Enum = append(s.Enum, v)
			}
		}
	}
}

func values(t reflect.Type) []string {
	m := reflect.Zero(t).MethodByName("Values")
	if !m.IsValid() {
		return nil
	}
	list := m.Call(nil)[0]
	out := make([]string, list.Len())
	for i := range out {
		out[i] = list.Index(i).String()
	}
	return out
}

func (d *differ) shape(name, kind string) *shape {
	s := d.shapes[name]
	if s == nil {
		s = &shape{Type: kind}
		d.shapes[name] = s
	}
	return s
}

// add records a member that ours lacks.
func (d *differ) add(parent string, sf reflect.StructField) {
	target := d.describe(sf.Type)
	if target == "" {
		return
	}
	name, r := d.style.member(sf.Name)
	r.Shape = target
	s := d.shape(parent, "structure")
	if s.Members == nil {
		s.Members = map[string]*ref{}
	}
	s.Members[name] = r
}

// describe makes the shape of a type of the client's; "" for documents.
func (d *differ) describe(t reflect.Type) string {
	t = plain(t)
	if t == reflect.TypeFor[time.Time]() {
		return d.scalar("NewerTimestamp", "timestamp")
	}
	switch t.Kind() {
	case reflect.Struct:
		return d.describeStruct(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return d.scalar("NewerBlob", "blob")
		}
		return d.describeList(t)
	case reflect.Map:
		name := plain(t.Elem()).Name() + "NewerMap"
		s := d.shape(name, "map")
		s.Key, s.Value = &ref{Shape: d.describe(t.Key())}, &ref{Shape: d.describe(t.Elem())}
		return name
	case reflect.String:
		if all := values(t); all != nil {
			d.shape(t.Name(), "string").Enum = all
			return t.Name()
		}
		return d.scalar("NewerString", "string")
	case reflect.Interface:
		return d.describeUnion(t)
	case reflect.Bool:
		return d.scalar("NewerBoolean", "boolean")
	case reflect.Int32:
		return d.scalar("NewerInteger", "integer")
	case reflect.Int64:
		return d.scalar("NewerLong", "long")
	case reflect.Float32, reflect.Float64:
		return d.scalar("NewerDouble", "double")
	}
	return ""
}

func (d *differ) scalar(name, kind string) string {
	d.shape(name, kind)
	return name
}

func (d *differ) describeStruct(t reflect.Type) string {
	if d.seen[t] {
		return t.Name()
	}
	d.seen[t] = true
	s := d.shape(t.Name(), "structure")
	if s.Members == nil {
		s.Members = map[string]*ref{}
	}
	for i := range t.NumField() {
		if sf := t.Field(i); sf.IsExported() {
			d.add(t.Name(), sf)
		}
	}
	return t.Name()
}

func (d *differ) describeUnion(t reflect.Type) string {
	var s *shape
	for _, u := range unions {
		member, ok := strings.CutPrefix(u.Name(), t.Name()+"Member")
		if !ok {
			continue
		}
		s = d.shape(t.Name(), "structure")
		if s.Members == nil {
			s.Members = map[string]*ref{}
		}
		value, _ := u.FieldByName("Value")
		value.Name = member
		d.add(t.Name(), value)
	}
	if s == nil {
		return ""
	}
	return t.Name()
}

func (d *differ) describeList(t reflect.Type) string {
	elem := d.describe(t.Elem())
	if elem == "" {
		return ""
	}
	name := plain(t.Elem()).Name() + "NewerList"
	s := d.shape(name, "list")
	s.Member = &ref{Shape: elem}
	if d.style == ec2 {
		s.Member.LocationName = "item"
	}
	return name
}
