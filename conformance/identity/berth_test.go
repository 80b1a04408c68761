package identity_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/berthhq/berth/conformance/house"
)

// berth is one `berth up`, and AWS's clients of it.
type berth struct {
	*house.House

	// clients of the account's root
	ecs     *ecs.Client
	logs    *cloudwatchlogs.Client
	iam     *iam.Client
	sts     *sts.Client
	objects *s3.Client
}

// startBerth starts berth on a port and data folder of its own.
func startBerth(data string, flags ...string) (*berth, error) {
	h, err := house.New(data, "IDENTITY_LOG", flags...)
	if err != nil {
		return nil, err
	}
	b := &berth{House: h}
	c := b.config()
	b.ecs, b.logs, b.iam, b.sts, b.objects = ecs.NewFromConfig(c), cloudwatchlogs.NewFromConfig(c), iam.NewFromConfig(c), sts.NewFromConfig(c), objectsOf(c)
	return b, nil
}

// config is that of the account's root.
func (b *berth) config() aws.Config {
	return b.configOf(b.Vars["AWS_ACCESS_KEY_ID"], b.Vars["AWS_SECRET_ACCESS_KEY"], "")
}

// configOf is that of whose the keys are.
func (b *berth) configOf(id, secret, token string) aws.Config {
	return aws.Config{
		Region: b.Vars["AWS_REGION"], BaseEndpoint: aws.String(b.Vars["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, token),
	}
}

func objectsOf(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}
