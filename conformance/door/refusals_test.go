package door_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	accountshape "github.com/berthhq/berth/aws/shape/account"
	cloudwatchshape "github.com/berthhq/berth/aws/shape/cloudwatch"
	ec2shape "github.com/berthhq/berth/aws/shape/ec2"
	ecsshape "github.com/berthhq/berth/aws/shape/ecs"
	stsshape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// everyProtocol is a call in each protocol.
var everyProtocol = map[string]func(context.Context, aws.Config) error{
	"awsJson": func(ctx context.Context, c aws.Config) error {
		_, err := ecs.NewFromConfig(c).ListClusters(ctx, nil)
		return err
	},
	"awsQuery": func(ctx context.Context, c aws.Config) error {
		_, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, nil)
		return err
	},
	"ec2Query": func(ctx context.Context, c aws.Config) error {
		_, err := ec2.NewFromConfig(c).DescribeVpcs(ctx, nil)
		return err
	},
	"rpcv2Cbor": func(ctx context.Context, c aws.Config) error {
		_, err := cloudwatch.NewFromConfig(c).ListMetrics(ctx, nil)
		return err
	},
	"restJson1": func(ctx context.Context, c aws.Config) error {
		_, err := account.NewFromConfig(c).ListRegions(ctx, nil)
		return err
	},
}

func startAll(t *testing.T, skew time.Duration) *gatewaytest.Server {
	return gatewaytest.Start(t, func(store.Store) []gateway.Offer {
		return []gateway.Offer{{Service: ecsshape.API}, {Service: stsshape.API}, {Service: ec2shape.API}, {Service: cloudwatchshape.API}, {Service: accountshape.API}}
	}, func(o *gateway.Options) {
		o.Clock = func() time.Time { return time.Now().Add(skew) }
	})
}

type refusal struct{ code, says string }

func TestRefusalsOfCredentialsInEveryProtocol(t *testing.T) {
	const (
		invalid   = "The security token included in the request is invalid."
		differs   = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
		ended     = "The security token included in the request is expired"
		expired   = "Signature expired: 20"
		early     = "Signature not yet current: 20"
		notValid  = "AWS was not able to validate the provided access credentials"
		ec2Expiry = "Request has expired."
	)
	temporary := func(s *gatewaytest.Server, ends time.Duration) identity.AccessKey {
		return s.AddKey(t, identity.AccessKey{
			ID: "ASIAEXAMPLE", Secret: "s", SessionToken: "right", Active: true, ExpiresAt: time.Now().Add(ends), Principal: s.Root.Principal,
		})
	}
	for name, c := range map[string]struct {
		skew time.Duration
		key  func(*gatewaytest.Server) identity.AccessKey
		want map[string]refusal
	}{
		"unknown key": {0, func(*gatewaytest.Server) identity.AccessKey { return identity.AccessKey{ID: "AKIANOBODY", Secret: "s"} }, map[string]refusal{
			"awsJson": {"UnrecognizedClientException", invalid}, "awsQuery": {"InvalidClientTokenId", invalid}, "ec2Query": {"AuthFailure", notValid},
			"rpcv2Cbor": {"InvalidClientTokenId", invalid}, "restJson1": {"UnrecognizedClientException", invalid},
		}},
		"wrong secret": {0, func(s *gatewaytest.Server) identity.AccessKey { k := s.Root; k.Secret = "wrong"; return k }, map[string]refusal{
			"awsJson": {"InvalidSignatureException", differs}, "awsQuery": {"SignatureDoesNotMatch", differs}, "ec2Query": {"AuthFailure", notValid},
			"rpcv2Cbor": {"SignatureDoesNotMatch", differs}, "restJson1": {"InvalidSignatureException", differs},
		}},
		"wrong token": {0, func(s *gatewaytest.Server) identity.AccessKey {
			k := temporary(s, time.Hour)
			k.SessionToken = "wrong"
			return k
		}, map[string]refusal{
			"awsJson": {"UnrecognizedClientException", invalid}, "awsQuery": {"InvalidClientTokenId", invalid}, "ec2Query": {"AuthFailure", notValid},
			"rpcv2Cbor": {"InvalidClientTokenId", invalid}, "restJson1": {"UnrecognizedClientException", invalid},
		}},
		"ended session": {0, func(s *gatewaytest.Server) identity.AccessKey { return temporary(s, -time.Second) }, map[string]refusal{
			"awsJson": {"ExpiredTokenException", ended}, "awsQuery": {"ExpiredToken", ended}, "ec2Query": {"RequestExpired", ec2Expiry},
			"rpcv2Cbor": {"ExpiredToken", ended}, "restJson1": {"ExpiredTokenException", ended},
		}},
		"slow clock": {16 * time.Minute, func(s *gatewaytest.Server) identity.AccessKey { return s.Root }, map[string]refusal{
			"awsJson": {"InvalidSignatureException", expired}, "awsQuery": {"SignatureDoesNotMatch", expired}, "ec2Query": {"RequestExpired", ec2Expiry},
			"rpcv2Cbor": {"SignatureDoesNotMatch", expired}, "restJson1": {"InvalidSignatureException", expired},
		}},
		"fast clock": {-16 * time.Minute, func(s *gatewaytest.Server) identity.AccessKey { return s.Root }, map[string]refusal{
			"awsJson": {"InvalidSignatureException", early}, "awsQuery": {"SignatureDoesNotMatch", early}, "ec2Query": {"RequestExpired", ec2Expiry},
			"rpcv2Cbor": {"SignatureDoesNotMatch", early}, "restJson1": {"InvalidSignatureException", early},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := startAll(t, c.skew)
			config := s.Config(c.key(s))
			for protocol, call := range everyProtocol {
				checkRefusal(t, protocol, call(context.Background(), config), c.want[protocol], http.StatusForbidden)
			}
		})
	}
}

func checkRefusal(t *testing.T, protocol string, err error, want refusal, status int) {
	t.Helper()
	var got smithy.APIError
	if !errors.As(err, &got) {
		t.Errorf("%s: %v", protocol, err)
		return
	}
	if got.ErrorCode() != want.code || !strings.HasPrefix(got.ErrorMessage(), want.says) {
		t.Errorf("%s: %s: %s, want %s: %s", protocol, got.ErrorCode(), got.ErrorMessage(), want.code, want.says)
	}
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() != status || len(answer.ServiceRequestID()) != 36 {
		t.Errorf("%s: status and request id of %v", protocol, err)
	}
}

func TestOperationsWithoutAHandlerInEveryProtocol(t *testing.T) {
	s := startAll(t, 0)
	want := map[string]refusal{
		"awsJson":   {"UnknownOperationException", "berth does not support ListClusters of ecs yet."},
		"awsQuery":  {"InvalidAction", "berth does not support GetCallerIdentity of sts yet."},
		"ec2Query":  {"InvalidAction", "berth does not support DescribeVpcs of ec2 yet."},
		"rpcv2Cbor": {"InvalidAction", "berth does not support ListMetrics of cloudwatch yet."},
		"restJson1": {"UnknownOperationException", "berth does not support ListRegions of account yet."},
	}
	for protocol, call := range everyProtocol {
		checkRefusal(t, protocol, call(context.Background(), s.Config(s.Root)), want[protocol], http.StatusBadRequest)
	}
}
