package life_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berthhq/berth/conformance/house"
)

// berth is one `berth up`, and AWS's clients of it.
type berth struct {
	*house.House
	ecs  *ecs.Client
	logs *cloudwatchlogs.Client
}

// startBerth starts berth on a port and data folder of its own.
func startBerth(data string, flags ...string) (*berth, error) {
	h, err := house.New(data, "LIFE_LOG", flags...)
	if err != nil {
		return nil, err
	}
	b := &berth{House: h}
	c := b.config()
	b.ecs, b.logs = ecs.NewFromConfig(c), cloudwatchlogs.NewFromConfig(c)
	return b, nil
}

func (b *berth) config() aws.Config {
	return aws.Config{
		Region: b.Vars["AWS_REGION"], BaseEndpoint: aws.String(b.Vars["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(b.Vars["AWS_ACCESS_KEY_ID"], b.Vars["AWS_SECRET_ACCESS_KEY"], ""),
	}
}
