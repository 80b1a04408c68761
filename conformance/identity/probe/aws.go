package main

import (
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// settings are AWS's client's, out of what a container finds around it.
func settings() (aws.Config, error) {
	return config.LoadDefaultConfig(context.Background(), config.WithRetryMaxAttempts(1))
}

// plain is an error's code and message, without what differs from call to call.
func plain(err error) error {
	if refused := smithy.APIError(nil); errors.As(err, &refused) {
		return errors.New(refused.ErrorCode() + ": " + refused.ErrorMessage())
	}
	return err
}

// whoami tells who the client is.
func whoami([]string) (string, error) {
	c, err := settings()
	if err != nil {
		return "", err
	}
	me, err := sts.NewFromConfig(c).GetCallerIdentity(context.Background(), nil)
	if err != nil {
		return "", plain(err)
	}
	return *me.Arn, nil
}

// object BUCKET KEY reads an object.
func object(args []string) (string, error) {
	c, err := settings()
	if err != nil {
		return "", err
	}
	client := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	out, err := client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &args[0], Key: &args[1]})
	if err != nil {
		return "", plain(err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	return string(text), err
}

// put TABLE ID writes an item.
func put(args []string) (string, error) {
	c, err := settings()
	if err != nil {
		return "", err
	}
	_, err = dynamodb.NewFromConfig(c).PutItem(context.Background(), &dynamodb.PutItemInput{
		TableName: &args[0], Item: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: args[1]}},
	})
	if err != nil {
		return "", plain(err)
	}
	return "written", nil
}
