package wire_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestConstraintsOfTheModelInEachServicesWords(t *testing.T) {
	logs := func(op, body string) *http.Request {
		return request("POST", "/", body, "X-Amz-Target", "Logs_20140328."+op, "Content-Type", "application/x-amz-json-1.1")
	}
	ecr := func(body string) *http.Request {
		return request("POST", "/", body, "X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.CreateRepository", "Content-Type", "application/x-amz-json-1.1")
	}
	form := func(text string) *http.Request { return request("POST", "/", text, "Content-Type", formType) }
	for _, c := range []struct {
		name, want string
		r          *http.Request
	}{
		{"fine", "", logs("CreateLogGroup", `{"logGroupName":"a"}`)},
		{"null", "InvalidParameterException: 1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null", logs("CreateLogGroup", `{}`)},
		{"short and off the pattern", "InvalidParameterException: 2 validation errors detected: Value '' at 'logGroupName' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+", logs("CreateLogGroup", `{"logGroupName":""}`)},
		{"number", "InvalidParameterException: 1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", logs("DescribeLogGroups", `{"limit":0}`)},
		{"enum", "InvalidParameterException: 1 validation error detected: Value 'Size' at 'orderBy' failed to satisfy constraint: Member must satisfy enum value set: [LogStreamName, LastEventTime]", logs("DescribeLogStreams", `{"orderBy":"Size"}`)},
		{"item of a list", "InvalidParameterException: 1 validation error detected: Value '!' at 'tagKeys.2.member' failed to satisfy constraint: Member must satisfy regular expression pattern: ^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+)$", logs("UntagResource", `{"resourceArn":"a","tagKeys":["x","!"]}`)},
		{"member of an item", "InvalidParameterException: 1 validation error detected: Value null at 'logEvents.1.member.message' failed to satisfy constraint: Member must not be null", logs("PutLogEvents", `{"logGroupName":"a","logStreamName":"b","logEvents":[{"timestamp":1}]}`)},
		{"ecr", "InvalidParameterException: Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*''", ecr(`{"repositoryName":"UPPER"}`)},
		{"query", "ValidationError: 1 validation error detected: Value '" + strings.Repeat("x", 65) + "' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64", form("Action=GetRole&Version=2010-05-08&RoleName=" + strings.Repeat("x", 65))},
		{"ec2", "MissingParameter: The request must contain the parameter VpcId", form("Action=CreateSubnet&Version=2016-11-15&CidrBlock=")},
		{"ecs leaves what is missing to its handlers", "", ecsRequest("RunTask", `{"launchType":"X"}`)},
		{"ecs bounds", "InvalidParameterException: 1 validation error detected: Value '1001' at 'capacityProviderStrategy.1.member.weight' failed to satisfy constraint: Member must have value less than or equal to 1000", ecsRequest("RunTask", `{"capacityProviderStrategy":[{"capacityProvider":"x","weight":1001}]}`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, in := mustRead(t, c.r)
			if got := said(q, q.Validate(in)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
