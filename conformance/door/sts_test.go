package door_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/berthhq/berth/aws/api/sts"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

func startSTS(t *testing.T) *gatewaytest.Server {
	return gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		api := sts.New(sts.Config{Store: st})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)
}

func TestEveryPrincipalLearnsWhoItIs(t *testing.T) {
	s := startSTS(t)
	role := identity.RoleSession("arn:aws:iam::123456789012:role/trainer", "0123456789abcdef0123456789abcdef")
	user := identity.Principal{Kind: identity.User, Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/ada", UserID: "AIDAEXAMPLE"}
	for name, c := range map[string]struct {
		key           identity.AccessKey
		arn, id, text string
	}{
		"root": {s.Root, "arn:aws:iam::123456789012:root", "123456789012", ""},
		"task": {s.AddKey(t, identity.AccessKey{ID: "ASIATASK", Secret: "s", SessionToken: "t/+=", Principal: role, Active: true, ExpiresAt: time.Now().Add(time.Hour)}),
			"arn:aws:sts::123456789012:assumed-role/trainer/0123456789abcdef0123456789abcdef", "AROAtrainer:0123456789abcdef0123456789abcdef", ""},
		"user": {s.AddKey(t, identity.AccessKey{ID: "AKIAUSER", Secret: "s", Principal: user, Active: true}), user.ARN, user.UserID, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := client.NewFromConfig(s.Config(c.key)).GetCallerIdentity(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if *got.Arn != c.arn || *got.UserId != c.id || *got.Account != "123456789012" {
				t.Errorf("SDK: %s %s %s", *got.Arn, *got.UserId, *got.Account)
			}
		})
		t.Run(name+" by the CLI", func(t *testing.T) {
			out, errs, code := s.CLI(t, c.key, "sts", "get-caller-identity")
			var got struct{ UserId, Account, Arn string }
			if err := json.Unmarshal([]byte(out), &got); code != 0 || err != nil || got.Arn != c.arn {
				t.Errorf("CLI: %d %q %q", code, out, errs)
			}
		})
	}
}

func TestPresignedIdentityWorksWithoutASigner(t *testing.T) {
	s := startSTS(t)
	signed, err := client.NewPresignClient(client.NewFromConfig(s.Config(s.Root))).PresignGetCallerIdentity(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	body := get(t, signed.URL)
	if !strings.Contains(body, "<Arn>arn:aws:iam::123456789012:root</Arn>") {
		t.Errorf("got %s", body)
	}
}

func TestSessionTokens(t *testing.T) {
	s, ctx := startSTS(t), context.Background()
	got, err := client.NewFromConfig(s.Config(s.Root)).GetSessionToken(ctx, &client.GetSessionTokenInput{DurationSeconds: aws.Int32(7200)})
	if err != nil {
		t.Fatal(err)
	}
	c := got.Credentials
	if left := time.Until(*c.Expiration); left > time.Hour || left < 59*time.Minute {
		t.Errorf("root's session lasts %v, not at most an hour", left)
	}
	session := identity.AccessKey{ID: *c.AccessKeyId, Secret: *c.SecretAccessKey, SessionToken: *c.SessionToken}
	sts := client.NewFromConfig(s.Config(session))
	if who, err := sts.GetCallerIdentity(ctx, nil); err != nil || *who.Arn != "arn:aws:iam::123456789012:root" {
		t.Errorf("the session is %v, %v", who, err)
	}
	if _, err := sts.GetSessionToken(ctx, nil); err == nil || !strings.Contains(err.Error(), "AccessDenied: Cannot call GetSessionToken with session credentials") {
		t.Errorf("a session of a session: %v", err)
	}
	info, err := sts.GetAccessKeyInfo(ctx, &client.GetAccessKeyInfoInput{AccessKeyId: aws.String(s.Root.ID)})
	if err != nil || *info.Account != "123456789012" {
		t.Errorf("key info: %v, %v", info, err)
	}
}

func TestRefusalsOfSTS(t *testing.T) {
	s, ctx := startSTS(t), context.Background()
	sts := client.NewFromConfig(s.Config(s.Root))
	_, err := sts.AssumeRole(ctx, &client.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::123456789012:role/x"), RoleSessionName: aws.String("me")})
	if err == nil || !strings.Contains(err.Error(), "AccessDenied: Roles may not be assumed by root accounts.") {
		t.Errorf("AssumeRole: %v", err)
	}
	_, err = sts.AssumeRoleWithWebIdentity(ctx, &client.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String("arn:aws:iam::123456789012:role/x"), RoleSessionName: aws.String("me"), WebIdentityToken: aws.String("token"),
	})
	if err == nil {
		t.Error("somebody has a token of an identity provider")
	}
	_, err = sts.GetSessionToken(ctx, &client.GetSessionTokenInput{DurationSeconds: aws.Int32(1)})
	if err == nil || !strings.Contains(err.Error(), "ValidationError: 1 validation error detected: Value '1' at 'durationSeconds' failed to satisfy constraint") {
		t.Errorf("a session of a second: %v", err)
	}
}
