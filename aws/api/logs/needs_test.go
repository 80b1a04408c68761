package logs

import (
	"testing"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/logs"
)

func TestAuthorisation(t *testing.T) {
	const groupARN = "arn:aws:logs:eu-central-1:123456789012:log-group:g"
	group, stream := groupARN+":log-stream:", groupARN+":log-stream:web/1"
	on := func(operation, input, resource string) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: input, Needs: []gateway.Need{{Action: "logs:" + operation, Resources: []string{resource}}}}
	}
	gatewaytest.Authorisation(t, serve, shape.API, []gatewaytest.Authorised{
		on("CreateLogGroup", `{"logGroupName":"g"}`, group),
		{
			Operation: "CreateLogGroup", Input: `{"logGroupName":"g","tags":{"team":"a"}}`,
			Needs: []gateway.Need{
				{Action: "logs:CreateLogGroup", Resources: []string{group}, Keys: map[string][]string{"aws:RequestTag/team": {"a"}}},
				{Action: "logs:TagResource", Resources: []string{groupARN}, Keys: map[string][]string{"aws:TagKeys": {"team"}}},
			},
		},
		on("DescribeLogGroups", `{}`, "arn:aws:logs:eu-central-1:123456789012:log-group::log-stream:"),
		on("DeleteLogGroup", `{"logGroupName":"g"}`, group),
		on("PutRetentionPolicy", `{"logGroupName":"g","retentionInDays":1}`, group),
		on("DeleteRetentionPolicy", `{"logGroupName":"g"}`, group),
		on("PutLogGroupDeletionProtection", `{"logGroupIdentifier":"g","deletionProtectionEnabled":true}`, group),
		on("AssociateKmsKey", `{"logGroupName":"g","kmsKeyId":"k"}`, group),
		on("DisassociateKmsKey", `{"resourceIdentifier":"`+groupARN+`:*"}`, group),
		on("TagResource", `{"resourceArn":"`+groupARN+`","tags":{"a":"b"}}`, groupARN),
		on("UntagResource", `{"resourceArn":"`+groupARN+`","tagKeys":["a"]}`, groupARN),
		on("ListTagsForResource", `{"resourceArn":"`+groupARN+`"}`, groupARN),
		on("TagLogGroup", `{"logGroupName":"g","tags":{"a":"b"}}`, group),
		on("UntagLogGroup", `{"logGroupName":"g","tags":["a"]}`, group),
		on("ListTagsLogGroup", `{"logGroupName":"g"}`, group),
		on("CreateLogStream", `{"logGroupName":"g","logStreamName":"web/1"}`, stream),
		on("DescribeLogStreams", `{"logGroupIdentifier":"`+groupARN+`"}`, group),
		on("DeleteLogStream", `{"logGroupName":"g","logStreamName":"web/1"}`, stream),
		on("PutLogEvents", `{"logGroupName":"g","logStreamName":"web/1","logEvents":[{"timestamp":1,"message":"m"}]}`, stream),
		on("GetLogEvents", `{"logGroupName":"g","logStreamName":"web/1"}`, stream),
		on("FilterLogEvents", `{"logGroupName":"g"}`, group),
		on("StartLiveTail", `{"logGroupIdentifiers":["`+groupARN+`"]}`, group),
	})
}
