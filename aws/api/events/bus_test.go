package events_test

import (
	"strings"
	"testing"
	"time"
)

func TestEventBuses(t *testing.T) {
	s := start(t)
	const bus = "arn:aws:events:eu-central-1:123456789012:event-bus/"
	s.expect("default", s.do("DescribeEventBus", `{}`), object{"Name": "default", "Arn": bus + "default"})
	s.expect("made", s.do("CreateEventBus", `{"Name": "zoo", "Tags": [{"Key": "a", "Value": "1"}]}`)["EventBusArn"], bus+"zoo")
	s.do("CreateEventBus", `{"Name": "ant"}`)
	s.refused("CreateEventBus", `{"Name": "zoo"}`, "ResourceAlreadyExistsException", "Event bus zoo already exists.")
	s.refused("CreateEventBus", `{"Name": "default"}`, "ResourceAlreadyExistsException", "Event bus default already exists.")
	s.refused("CreateEventBus", `{"Name": "a/b"}`, "ValidationException", "Event bus name contains invalid characters.")
	page := s.do("ListEventBuses", `{"Limit": 2}`)
	s.expect("buses", names(page["EventBuses"], "Name"), []string{"ant", "default"})
	s.expect("more", names(s.do("ListEventBuses", `{"NextToken": %q}`, page["NextToken"])["EventBuses"], "Name"), []string{"zoo"})

	s.do("PutRule", `{"Name": "r", "EventBusName": %q, "EventPattern": "{\"a\": [1]}"}`, bus+"zoo")
	s.expect("its rule", s.do("DescribeRule", `{"Name": "r", "EventBusName": "zoo"}`)["Arn"], "arn:aws:events:eu-central-1:123456789012:rule/zoo/r")
	s.do("TagResource", `{"ResourceARN": "arn:aws:events:eu-central-1:123456789012:rule/zoo/r", "Tags": [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]}`)
	s.do("UntagResource", `{"ResourceARN": "arn:aws:events:eu-central-1:123456789012:rule/zoo/r", "TagKeys": ["c", "d"]}`)
	s.expect("tags", s.do("ListTagsForResource", `{"ResourceARN": "arn:aws:events:eu-central-1:123456789012:rule/zoo/r"}`)["Tags"], []any{object{"Key": "b", "Value": "2"}})
	s.do("TagResource", `{"ResourceARN": %q, "Tags": [{"Key": "a", "Value": "2"}]}`, bus+"zoo")
	s.expect("tags of the bus", s.do("ListTagsForResource", `{"ResourceARN": %q}`, bus+"zoo")["Tags"], []any{object{"Key": "a", "Value": "2"}})
	s.refused("ListTagsForResource", `{"ResourceARN": "arn:aws:events:eu-central-1:123456789012:rule/none"}`, "ResourceNotFoundException", "Rule none does not exist")
	s.refused("ListTagsForResource", `{"ResourceARN": "x"}`, "ValidationException", "Parameter ResourceARN is not valid.")

	s.refused("DeleteEventBus", `{"Name": "zoo"}`, "ValidationException", "Event bus zoo can't be deleted since it has rules.")
	s.refused("DeleteEventBus", `{"Name": "default"}`, "ValidationException", "Cannot delete event bus default.")
	s.do("DeleteRule", `{"Name": "r", "EventBusName": "zoo"}`)
	s.do("DeleteEventBus", `{"Name": "zoo"}`)
	s.refused("DescribeEventBus", `{"Name": "zoo"}`, "ResourceNotFoundException", "Event bus zoo does not exist.")
}

func TestPutEvents(t *testing.T) {
	s := start(t)
	out := s.do("PutEvents", `{"Entries": [
		{"Source": "me", "DetailType": "t", "Detail": "{\"a\": 1}", "Resources": ["arn:x"], "Time": 1700000000},
		{"DetailType": "t", "Detail": "{}"}, {"Source": "me", "Detail": "{}"}, {"Source": "me", "DetailType": "t"},
		{"Source": "me", "DetailType": "t", "Detail": "[]"}, {"Source": "aws.ecs", "DetailType": "t", "Detail": "{}"},
		{"Source": "me", "DetailType": "t", "Detail": "{}", "EventBusName": "none"}]}`)
	s.expect("failed", out["FailedEntryCount"], 6.0)
	s.expect("codes", names(out["Entries"], "ErrorCode"), []string{"", "InvalidArgument", "InvalidArgument", "InvalidArgument", "MalformedDetail", "NotAuthorizedForSourceException", "InvalidArgument"})
	s.expect("message", names(out["Entries"], "ErrorMessage")[1], "Parameter Source is not valid. Reason: Source is a required argument.")
	if len(s.bus.list) != 1 {
		t.Fatalf("published %d", len(s.bus.list))
	}
	e := s.bus.list[0]
	s.expect("event", []any{e.Source, e.DetailType, string(e.Detail), e.Bus, e.Time.Equal(time.Unix(1700000000, 0)), e.Resources, e.ID == names(out["Entries"], "EventId")[0]},
		[]any{"me", "t", `{"a": 1}`, "default", true, []string{"arn:x"}, true})
	big := strings.Repeat("x", 256<<10)
	s.refused("PutEvents", `{"Entries": [{"Source": "me", "DetailType": "t", "Detail": "{\"a\": \"`+big+`\"}"}]}`, "ValidationException", "Total size of the entries in the request is over the limit.")
	s.refused("PutEvents", `{"Entries": []}`, "ValidationException", "1 validation error detected")
}

func TestTestEventPattern(t *testing.T) {
	s := start(t)
	const e = `\"id\": \"1\", \"account\": \"1\", \"source\": \"me\", \"time\": \"2026-01-01T00:00:00Z\", \"region\": \"x\", \"resources\": [], \"detail-type\": \"t\", \"detail\": {\"n\": 5}`
	s.expect("matches", s.do("TestEventPattern", `{"EventPattern": "{\"detail\": {\"n\": [{\"numeric\": [\">\", 4]}]}}", "Event": "{`+e+`}"}`), object{"Result": true})
	s.expect("does not", s.do("TestEventPattern", `{"EventPattern": "{\"source\": [\"you\"]}", "Event": "{`+e+`}"}`), object{"Result": false})
	s.refused("TestEventPattern", `{"EventPattern": "{}", "Event": "{`+e+`}"}`, "InvalidEventPatternException", "Event pattern is not valid. Reason: Empty objects are not allowed")
	s.refused("TestEventPattern", `{"EventPattern": "{\"a\": [1]}", "Event": "{\"id\": \"1\"}"}`, "ValidationException", "Parameter Event is not valid. Reason: account is a required argument.")
}

func TestAPIDestinations(t *testing.T) {
	s := start(t)
	made := s.do("CreateConnection", `{"Name": "c", "AuthorizationType": "API_KEY", "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "hush"},
		"InvocationHttpParameters": {"HeaderParameters": [{"Key": "x-a", "Value": "open"}, {"Key": "x-b", "Value": "hidden", "IsValueSecret": true}]}}}`)
	s.expect("state", made["ConnectionState"], "AUTHORIZED")
	arn, _ := made["ConnectionArn"].(string)
	if !strings.HasPrefix(arn, "arn:aws:events:eu-central-1:123456789012:connection/c/") {
		t.Errorf("arn %s", arn)
	}
	s.expect("shown", s.do("DescribeConnection", `{"Name": "c"}`)["AuthParameters"], object{
		"ApiKeyAuthParameters":     object{"ApiKeyName": "x-key"},
		"InvocationHttpParameters": object{"HeaderParameters": []any{object{"Key": "x-a", "Value": "open", "IsValueSecret": false}, object{"Key": "x-b", "IsValueSecret": true}}},
	})
	s.expect("listed", names(s.do("ListConnections", `{}`)["Connections"], "Name"), []string{"c"})
	s.refused("CreateConnection", `{"Name": "c", "AuthorizationType": "BASIC", "AuthParameters": {"BasicAuthParameters": {"Username": "u", "Password": "p"}}}`, "ResourceAlreadyExistsException", "Connection 'c' already exists.")
	s.refused("CreateConnection", `{"Name": "d", "AuthorizationType": "BASIC", "AuthParameters": {}}`, "ValidationException", "Parameters of the authorization type BASIC are missing.")

	s.refused("CreateApiDestination", `{"Name": "d", "ConnectionArn": "`+strings.Replace(arn, "/c/", "/e/", 1)+`", "InvocationEndpoint": "https://h/", "HttpMethod": "POST"}`, "ResourceNotFoundException", "Connection '")
	s.refused("CreateApiDestination", `{"Name": "d", "ConnectionArn": "`+arn+`", "InvocationEndpoint": "ftp://h/", "HttpMethod": "POST"}`, "ValidationException", "Parameter InvocationEndpoint is not valid.")
	destination, _ := s.do("CreateApiDestination", `{"Name": "d", "ConnectionArn": %q, "InvocationEndpoint": "https://h/*", "HttpMethod": "POST"}`, arn)["ApiDestinationArn"].(string)
	got := s.do("DescribeApiDestination", `{"Name": "d"}`)
	s.expect("destination", []any{got["ApiDestinationArn"], got["InvocationEndpoint"], got["HttpMethod"], got["InvocationRateLimitPerSecond"], got["ApiDestinationState"]}, []any{destination, "https://h/*", "POST", 300.0, "ACTIVE"})
	s.do("PutRule", `{"Name": "r", "EventPattern": "{\"a\": [1]}"}`)
	s.do("PutTargets", `{"Rule": "r", "Targets": [{"Id": "h", "Arn": %q, "RoleArn": %q, "HttpParameters": {"PathParameterValues": ["p"], "HeaderParameters": {"x": "y"}}}]}`, destination, role)
	s.expect("target", s.do("ListTargetsByRule", `{"Rule": "r"}`)["Targets"], []any{object{"Id": "h", "Arn": destination, "RoleArn": role, "HttpParameters": object{"PathParameterValues": []any{"p"}, "HeaderParameters": object{"x": "y"}}}})

	s.do("DeleteConnection", `{"Name": "c"}`)
	s.expect("state", s.do("DescribeApiDestination", `{"Name": "d"}`)["ApiDestinationState"], "INACTIVE")
	s.do("DeleteApiDestination", `{"Name": "d"}`)
	s.expect("listed", s.do("ListApiDestinations", `{}`)["ApiDestinations"], []any{})
	s.refused("DescribeConnection", `{"Name": "c"}`, "ResourceNotFoundException", "Failed to describe the connection(s). Connection 'c' does not exist.")
	for _, line := range s.Audit.All() {
		if strings.Contains(line, "hush") || strings.Contains(line, "hidden") {
			t.Errorf("the audit tells a secret: %s", line)
		}
	}
}
