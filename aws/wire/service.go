package wire

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/berthhq/berth/domain/fault"
)

// Protocol is one of AWS's ways to put a shape into an HTTP message.
type Protocol int

// Protocols.
const (
	AWSJSON11 Protocol = iota
	AWSJSON10
	AWSQuery
	EC2Query
	RESTJSON
	CBOR // Smithy RPC v2 with CBOR
)

var protocolNames = [...]string{"awsJson1_1", "awsJson1_0", "awsQuery", "ec2Query", "restJson1", "rpcv2Cbor"}

func (p Protocol) String() string { return protocolNames[p] }

// Family is the protocol's kind as far as error codes depend on it.
func (p Protocol) Family() fault.Family {
	switch p {
	case AWSQuery:
		return fault.Query
	case EC2Query:
		return fault.EC2
	}
	return fault.JSON
}

// Description is what the generator knows of a service.
type Description struct {
	Name            string // as in the model: "ecs", "application-autoscaling"
	Scope           string // the service name of its SigV4 credential scope
	Version         string // API version, the query protocols' Version
	TargetPrefix    string // of X-Amz-Target; empty for the query and REST protocols
	Namespace       string // of XML answers
	Protocols       []Protocol
	QueryCompatible bool // JSON and CBOR errors also name the older query code
	Violations      Violations
	Operations      []Operation
}

// Operation is one row of a service's table.
type Operation struct {
	Name    string
	In, Out reflect.Type // structs; nil when the operation is known by name only
	Wrapper string       // awsQuery: the element around the result
	Method  string       // restJson1
	Path    string       // restJson1, with {labels}
	Status  int          // restJson1: of success; 0 means 200
}

// Modelled reports whether the operation's shapes are known.
func (o *Operation) Modelled() bool { return o.In != nil }

// Empty is the input or output of operations that have none.
type Empty struct{}

// Document is a member whose content the model leaves open: JSON text.
type Document []byte

// Service is one AWS service: its description and what was compiled from it.
// Make it with NewService; it is safe for concurrent use.
type Service struct {
	Description
	byName map[string]*Operation
	routes []route
	shapes shapes
}

// NewService prepares a description for use. It panics when an operation is
// listed twice, which only a wrong generator can do.
func NewService(d Description) *Service {
	s := &Service{Description: d, byName: make(map[string]*Operation, len(d.Operations))}
	for i := range d.Operations {
		op := &s.Operations[i]
		if s.byName[op.Name] != nil {
			panic(fmt.Sprintf("wire: %s lists %s twice", d.Name, op.Name))
		}
		s.byName[op.Name] = op
		if op.Path != "" {
			s.routes = append(s.routes, newRoute(op))
		}
	}
	return s
}

// Operation finds an operation by name; nil when the service has none such.
func (s *Service) Operation(name string) *Operation { return s.byName[name] }

// Speaks reports whether the service is offered in the protocol.
func (s *Service) Speaks(p Protocol) bool {
	return slices.Contains(s.Protocols, p)
}
