package ecs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/identity"
)

func TestTagsOfEveryResource(t *testing.T) {
	s := running(t)
	i := s.instance(1024, 1024)
	run := get(s.do("RunTask", `{"taskDefinition": "web"}`), "tasks", 0, "taskArn").(string)
	for _, resource := range []string{scope.Cluster("default"), scope.TaskDefinition("web", 1), i, run} {
		s.do("TagResource", `{"resourceArn": %q, "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]}`, resource)
		s.do("TagResource", `{"resourceArn": %q, "tags": [{"key": "a", "value": "3"}]}`, resource)
		s.do("UntagResource", `{"resourceArn": %q, "tagKeys": ["b", "never"]}`, resource)
		expect(t, resource, get(s.do("ListTagsForResource", `{"resourceArn": %q}`, resource), "tags"), []any{object{"key": "a", "value": "3"}})
	}
	s.do("RunTask", `{"taskDefinition": "web", "propagateTags": "TASK_DEFINITION", "tags": [{"key": "c", "value": "4"}]}`)
	var many []string
	for n := range 50 {
		many = append(many, fmt.Sprintf(`{"key": "k%d", "value": ""}`, n))
	}
	s.do("StopTask", `{"task": %q}`, run)
	s.do("SubmitTaskStateChange", `{"cluster": "default", "task": %q, "status": "STOPPED"}`, run)
	for _, c := range []struct{ operation, body, kind, message string }{
		{"TagResource", `{"resourceArn": "x", "tags": [{"key": "a", "value": ""}]}`, "InvalidParameterException", "The ARN provided is invalid."},
		{"TagResource", `{"resourceArn": "` + scope.Cluster("default") + `", "tags": []}`, "InvalidParameterException", "Tags can not be empty."},
		{"TagResource", `{"resourceArn": "` + scope.Cluster("default") + `", "tags": [` + strings.Join(many, ",") + `]}`, "InvalidParameterException", "Too many tags."},
		{"TagResource", `{"resourceArn": "` + scope.Cluster("default") + `", "tags": [{"key": "a"}, {"key": "a"}]}`, "InvalidParameterException", "Duplicate tag keys found."},
		{"TagResource", `{"resourceArn": "` + run + `", "tags": [{"key": "a", "value": ""}]}`, "InvalidParameterException", "The specified task is stopped. Specify a running task and try again."},
		{"UntagResource", `{"resourceArn": "` + i + `", "tagKeys": ["aws:x"]}`, "InvalidParameterException", "Tag keys beginning with 'aws:'"},
		{"ListTagsForResource", `{"resourceArn": "` + scope.Cluster("nowhere") + `"}`, "ClusterNotFoundException", "Cluster not found."},
		{"ListTagsForResource", `{"resourceArn": "` + scope.TaskDefinition("web", 9) + `"}`, "ClientException", "The specified task definition does not exist."},
		{"ListTagsForResource", `{"resourceArn": "arn:aws:ecs:us-east-1:123456789012:cluster/default"}`, "AccessDeniedException", ""},
		{"ListTagsForResource", `{"resourceArn": "` + scope.Service("default", "web") + `"}`, "ServiceNotFoundException", "Service not found."},
	} {
		s.refused(c.operation, c.body, c.kind, c.message)
	}
}

func TestAttributes(t *testing.T) {
	s := running(t)
	i := s.instance(1024, 1024)
	id := i[strings.LastIndex(i, "/")+1:]
	put := s.do("PutAttributes", `{"attributes": [{"name": "stack", "value": "prod", "targetType": "container-instance", "targetId": %q}, {"name": "rack", "targetId": %q}]}`, i, id)
	expect(t, "answer", get(put, "attributes", 0, "value"), "prod")
	expect(t, "listed by name", get(s.do("ListAttributes", `{"targetType": "container-instance", "attributeName": "stack"}`), "attributes"),
		[]any{object{"name": "stack", "value": "prod", "targetType": "container-instance", "targetId": i}})
	expect(t, "listed by value", len(get(s.do("ListAttributes", `{"targetType": "container-instance", "attributeName": "stack", "attributeValue": "test"}`), "attributes").([]any)), 0)
	page := s.do("ListAttributes", `{"targetType": "container-instance", "maxResults": 4}`)
	rest := s.do("ListAttributes", `{"targetType": "container-instance", "maxResults": 100, "nextToken": %q}`, get(page, "nextToken"))
	expect(t, "pages", []int{len(get(page, "attributes").([]any)), len(get(rest, "attributes").([]any))}, []int{4, 3})
	s.do("DeleteAttributes", `{"attributes": [{"name": "stack", "value": "other", "targetId": %q}, {"name": "rack", "targetId": %q}]}`, i, i)
	expect(t, "deleted by value only", len(get(s.do("ListAttributes", `{"targetType": "container-instance", "attributeName": "stack"}`), "attributes").([]any)), 1)
	expect(t, "deleted", len(get(s.do("ListAttributes", `{"targetType": "container-instance", "attributeName": "rack"}`), "attributes").([]any)), 0)

	missing := fmt.Sprintf("%032d", 1)
	eleven := strings.TrimSuffix(strings.Repeat(`{"name": "a", "targetId": "`+i+`"},`, 11), ",")
	for _, c := range []struct{ operation, body, kind, message string }{
		{"PutAttributes", `{"attributes": []}`, "InvalidParameterException", "attributes can not be empty"},
		{"PutAttributes", `{"attributes": [` + eleven + `]}`, "InvalidParameterException", "attributes can have at most 10 items."},
		{"PutAttributes", `{"attributes": [{"name": "a", "targetId": "` + missing + `"}]}`, "TargetNotFoundException", "Could not find " + missing},
		{"PutAttributes", `{"attributes": [{"name": "a b", "targetId": "` + i + `"}]}`, "InvalidParameterException", "Invalid attribute name 'a b'."},
		{"PutAttributes", `{"attributes": [{"name": "berth.boot-id", "targetId": "` + i + `"}]}`, "InvalidParameterException", "Invalid attribute name 'berth.boot-id'."},
		{"PutAttributes", `{"attributes": [{"name": "a", "value": " b", "targetId": "` + i + `"}]}`, "InvalidParameterException", "Invalid value of attribute 'a'."},
		{"PutAttributes", `{"attributes": [{"name": "a", "value": "b=c", "targetId": "` + i + `"}]}`, "InvalidParameterException", "Invalid value of attribute 'a'."},
		{"ListAttributes", `{"targetType": "container-instance", "attributeValue": "x"}`, "InvalidParameterException", "An attribute name must be specified"},
		{"ListAttributes", `{"targetType": "task"}`, "InvalidParameterException", "targetType must be container-instance"},
	} {
		s.refused(c.operation, c.body, c.kind, c.message)
	}
	for n := range 10 {
		out := s.as(s.Root, "PutAttributes", fmt.Sprintf(`{"attributes": [{"name": "n%d", "targetId": %q}]}`, n, i))
		if want := map[bool]string{true: "AttributeLimitExceededException"}[n == 9]; out.kind != want { // "stack" is there too
			t.Errorf("%d: %s %s", n, out.kind, out.message())
		}
	}
}

func TestAccountSettings(t *testing.T) {
	s := start(t)
	effective := s.do("ListAccountSettings", `{"name": "defaultLogDriverMode", "effectiveSettings": true}`)
	root := scope.Global("iam", "root")
	expect(t, "default", get(effective, "settings"), []any{object{"name": "defaultLogDriverMode", "value": "non-blocking", "principalArn": root, "type": "user"}})
	expect(t, "none set", get(s.do("ListAccountSettings", `{}`), "settings"), []any{})
	expect(t, "put", get(s.do("PutAccountSettingDefault", `{"name": "defaultLogDriverMode", "value": "blocking"}`), "setting", "value"), "blocking")
	s.do("PutAccountSetting", `{"name": "containerInsights", "value": "enabled", "principalArn": "arn:aws:iam::123456789012:user/u"}`)
	expect(t, "the account's", get(s.do("ListAccountSettings", `{"name": "defaultLogDriverMode", "effectiveSettings": true}`), "settings", 0, "value"), "blocking")
	expect(t, "a user's own", get(s.do("ListAccountSettings", `{"principalArn": "arn:aws:iam::123456789012:user/u"}`), "settings", 0, "principalArn"), "arn:aws:iam::123456789012:user/u")
	s.do("PutAccountSettingDefault", `{"name": "containerInsights", "value": "enhanced"}`)
	expect(t, "followed by new clusters", get(s.do("CreateCluster", `{}`), "cluster", "settings", 0, "value"), "enhanced")
	expect(t, "deleted", get(s.do("DeleteAccountSetting", `{"name": "defaultLogDriverMode"}`), "setting", "value"), "non-blocking")
	s.refused("PutAccountSetting", `{"name": "colour", "value": "blue"}`, "InvalidParameterException", "colour should be one of [awsvpcTrunking,")
	s.refused("PutAccountSetting", `{"name": "containerInsights", "value": "blue"}`, "InvalidParameterException", "Invalid value for setting containerInsights.")
	s.refused("PutAccountSettingDefault", `{"name": "taskLongArnFormat", "value": "disabled"}`, "InvalidParameterException", "Invalid value for setting taskLongArnFormat.")
	s.refused("PutAccountSettingDefault", `{"name": "guardDutyActivate", "value": "on"}`, "InvalidParameterException", "The account setting guardDutyActivate is read-only.")
	s.refused("PutAccountSetting", `{"name": "fargateTaskRetirementWaitPeriod", "value": "0", "principalArn": "arn:aws:iam::123456789012:user/u"}`, "InvalidParameterException", "You must use the root user")
	s.refused("PutAccountSetting", `{"name": "containerInsights", "value": "enabled", "principalArn": "arn:aws:iam::999999999999:user/u"}`, "InvalidParameterException", "The principal ARN")
	s.refused("ListAccountSettings", `{"value": "enabled"}`, "InvalidParameterException", "An account setting name must be specified with a value.")
	s.refused("ListAccountSettings", `{"maxResults": 11}`, "InvalidParameterException", "maxResults should be between 1 and 10")
	guard := s.do("ListAccountSettings", `{"name": "guardDutyActivate", "effectiveSettings": true}`)
	expect(t, "managed by AWS", get(guard, "settings", 0, "type"), "aws_managed")
}

// TestAccountSettingsOfAllNames pages through the effective settings.
func TestAccountSettingsOfAllNames(t *testing.T) {
	s := start(t)
	var names []any
	token := ""
	for {
		page := s.do("ListAccountSettings", `{"effectiveSettings": true, "maxResults": 5, "nextToken": %q}`, token)
		for _, one := range get(page, "settings").([]any) {
			names = append(names, one.(object)["name"])
		}
		next, more := get(page, "nextToken").(string)
		if token = next; !more {
			break
		}
	}
	expect(t, "names", names, []any{"awsvpcTrunking", "containerInsights", "containerInstanceLongArnFormat", "defaultLogDriverMode", "dualStackIPv6",
		"fargateEventWindows", "fargateFIPSMode", "fargateTaskRetirementWaitPeriod", "guardDutyActivate", "serviceLongArnFormat", "tagResourceAuthorization", "taskLongArnFormat"})
}

func TestSettingsOfARoleAreItsSessions(t *testing.T) {
	s := start(t)
	role := s.Role(t, "worker", gatewaytest.AllowAll).Principal.RoleARN
	keyOf := func(name string) identity.AccessKey {
		return s.AddKey(t, identity.AccessKey{ID: "ASIA" + name, Secret: "secret", SessionToken: "token", Active: true, Principal: identity.RoleSession(role, name)})
	}
	session := keyOf("one")
	if out := s.as(session, "PutAccountSetting", `{"name": "containerInsights", "value": "enhanced"}`); out.kind != "" || get(out, "setting", "principalArn") != role {
		t.Errorf("%s %s %v", out.kind, out.message(), out.object)
	}
	made := s.as(keyOf("two"), "CreateCluster", `{"clusterName": "x"}`)
	expect(t, "the cluster that another session makes", get(made, "cluster", "settings", 0, "value"), "enhanced")
	if out := s.as(session, "ListAccountSettings", `{"principalArn": "arn:aws:iam::123456789012:user/u"}`); out.kind != "AccessDeniedException" {
		t.Errorf("others' settings: %s %v", out.kind, out.object)
	}
}
