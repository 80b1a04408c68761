package ecs_test

import (
	"strings"
	"testing"
)

const (
	definitionTail    = `"containerDefinitions": [{"name": "app", "image": "nginx", "memory": 128, "cpu": 256}]`
	bridgeDefinition  = `{"family": "web", ` + definitionTail + `}`
	fargateDefinition = `{"family": "batch", "networkMode": "awsvpc", "cpu": "256", "memory": "512", "requiresCompatibilities": ["FARGATE"],
		"containerDefinitions": [{"name": "app", "image": "nginx"}]}`
	fargateRun = `{"taskDefinition": "batch", "launchType": "FARGATE", "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}}`
)

func TestRevisions(t *testing.T) {
	s := start(t)
	for range 11 {
		s.do("RegisterTaskDefinition", bridgeDefinition)
	}
	s.do("RegisterTaskDefinition", `{"family": "web-2", `+definitionTail+`, "tags": [{"key": "k", "value": "v"}]}`)
	expect(t, "latest", get(s.do("DescribeTaskDefinition", `{"taskDefinition": "web"}`), "taskDefinition", "revision"), 11.0)
	expect(t, "by number", get(s.do("DescribeTaskDefinition", `{"taskDefinition": "web:2"}`), "taskDefinition", "revision"), 2.0)
	expect(t, "by ARN", get(s.do("DescribeTaskDefinition", `{"taskDefinition": "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:3"}`), "taskDefinition", "revision"), 3.0)
	expect(t, "tags", get(s.do("DescribeTaskDefinition", `{"taskDefinition": "web-2", "include": ["TAGS"]}`), "tags"), []any{object{"key": "k", "value": "v"}})

	revisions := func(body string) string {
		t.Helper()
		var out []string
		for _, a := range get(s.do("ListTaskDefinitions", "%s", body), "taskDefinitionArns").([]any) {
			_, name, _ := strings.Cut(a.(string), "/")
			out = append(out, name)
		}
		return strings.Join(out, " ")
	}
	expect(t, "ascending", revisions(`{"familyPrefix": "web", "maxResults": 3}`), "web:1 web:2 web:3")
	expect(t, "descending", revisions(`{"familyPrefix": "web", "sort": "DESC", "maxResults": 3}`), "web:11 web:10 web:9")
	page := s.do("ListTaskDefinitions", `{"sort": "DESC", "maxResults": 2}`)
	expect(t, "second page", get(s.do("ListTaskDefinitions", `{"sort": "DESC", "maxResults": 1, "nextToken": %q}`, get(page, "nextToken")), "taskDefinitionArns", 0),
		"arn:aws:ecs:eu-central-1:123456789012:task-definition/web:10")
	expect(t, "families", get(s.do("ListTaskDefinitionFamilies", `{"familyPrefix": "web-"}`), "families"), []any{"web-2"})

	gone := s.do("DeregisterTaskDefinition", `{"taskDefinition": "web:11"}`)
	expect(t, "deregistered", get(gone, "taskDefinition", "status"), "INACTIVE")
	if get(gone, "taskDefinition", "deregisteredAt") == nil {
		t.Error("no time of deregistration")
	}
	expect(t, "latest is the latest active", get(s.do("DescribeTaskDefinition", `{"taskDefinition": "web"}`), "taskDefinition", "revision"), 10.0)
	expect(t, "still described", get(s.do("DescribeTaskDefinition", `{"taskDefinition": "web:11"}`), "taskDefinition", "status"), "INACTIVE")
	expect(t, "inactive ones", revisions(`{"status": "INACTIVE"}`), "web:11")
	expect(t, "number is never used again", get(s.do("RegisterTaskDefinition", bridgeDefinition), "taskDefinition", "revision"), 12.0)

	s.do("DeregisterTaskDefinition", `{"taskDefinition": "web-2:1"}`)
	expect(t, "inactive families", get(s.do("ListTaskDefinitionFamilies", `{"status": "INACTIVE"}`), "families"), []any{"web-2"})
	deleted := s.do("DeleteTaskDefinitions", `{"taskDefinitions": ["web-2:1", "web:1", "web", "nobody:1"]}`)
	expect(t, "deleted", get(deleted, "taskDefinitions", 0, "status"), "DELETE_IN_PROGRESS")
	expect(t, "not deleted", get(deleted, "failures", 0, "reason"), "The specified task definition is still in ACTIVE status. Please deregister the target and try again.")
	expect(t, "not a revision", get(deleted, "failures", 1, "reason"), "The specified task definition identifier is invalid. Specify a valid name or ARN and try again.")
	expect(t, "not there", get(deleted, "failures", 2, "arn"), "nobody:1")
}

func TestDefinitionRefusals(t *testing.T) {
	s := start(t)
	s.do("RegisterTaskDefinition", bridgeDefinition)
	big := strings.Repeat("x", 70000)
	for _, c := range []struct{ operation, body, kind, message string }{
		{"RegisterTaskDefinition", `{"family": "web", "containerDefinitions": []}`, "ClientException", "Container list cannot be empty."},
		{"RegisterTaskDefinition", `{` + definitionTail + `}`, "ClientException", "Family should not be null or empty."},
		{"RegisterTaskDefinition", `{"family": "web", "taskRoleArn": "arn:aws:s3:::x", ` + definitionTail + `}`, "ClientException", "Role is not valid"},
		{"RegisterTaskDefinition", `{"family": "web", "tags": [], ` + definitionTail + `}`, "InvalidParameterException", "Tags can not be empty."},
		{"RegisterTaskDefinition", `{"family": "web", "placementConstraints": [{"type": "memberOf", "expression": "attribute:a =="}], ` + definitionTail + `}`, "ClientException", "Invalid expression 'attribute:a =='"},
		{"RegisterTaskDefinition", `{"family": "web", "containerDefinitions": [{"name": "a", "image": "b", "memory": 4, "command": ["` + big + `"]}]}`, "ClientException", "Actual length: '7"},
		{"RegisterTaskDefinition", `{"family": "web", "ephemeralStorage": {"sizeInGiB": 0}, ` + definitionTail + `}`, "ClientException", "EphemeralStorage size should be at least 21"},
		{"RegisterTaskDefinition", `{"family": "web", "containerDefinitions": "no"}`, "SerializationException", ""},
		{"DescribeTaskDefinition", `{"taskDefinition": "nobody"}`, "ClientException", "Unable to describe task definition."},
		{"DescribeTaskDefinition", `{"taskDefinition": "web:9"}`, "ClientException", "Unable to describe task definition."},
		{"DescribeTaskDefinition", `{"taskDefinition": "web:x"}`, "InvalidParameterException", "Invalid revision number. Number: x"},
		{"DescribeTaskDefinition", `{"taskDefinition": "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"}`, "ClientException", "Unable to describe task definition."},
		{"DeregisterTaskDefinition", `{"taskDefinition": "web"}`, "ClientException", "Revision is missing."},
		{"DeregisterTaskDefinition", `{"taskDefinition": "web:7"}`, "ClientException", "The specified task definition does not exist."},
		{"DeleteTaskDefinitions", `{"taskDefinitions": []}`, "InvalidParameterException", "size of TaskDefinition references list must be greater than 0"},
		{"ListTaskDefinitions", `{"status": "GONE"}`, "InvalidParameterException", "status should be one of"},
		{"ListTaskDefinitions", `{"sort": "UP"}`, "InvalidParameterException", "sort should be one of [ASC,DESC]"},
		{"ListTaskDefinitionFamilies", `{"status": "GONE"}`, "InvalidParameterException", "status should be one of [ACTIVE,INACTIVE,ALL]"},
	} {
		s.refused(c.operation, c.body, c.kind, c.message)
	}
	expect(t, "nothing was made", get(s.do("ListTaskDefinitions", `{}`), "taskDefinitionArns"), []any{"arn:aws:ecs:eu-central-1:123456789012:task-definition/web:1"})
}

func TestTaggedFromBirth(t *testing.T) {
	s := start(t)
	expect(t, "tags", get(s.do("RegisterTaskDefinition", `{"family": "web", "tags": [{"key": "a"}], `+definitionTail+`}`), "tags"), []any{object{"key": "a", "value": ""}})
}
