package sts_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/sts"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

func TestCommandLineLearnsWhoItIs(t *testing.T) {
	s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		api := sts.New(sts.Config{Store: st})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)
	task := identity.RoleSession("arn:aws:iam::123456789012:role/trainer", "0123456789abcdef0123456789abcdef")
	for name, c := range map[string]struct {
		key  identity.AccessKey
		want identity.Principal
	}{
		"task": {s.AddKey(t, identity.AccessKey{
			ID: "ASIATASK", Secret: "s", SessionToken: "t/+=", Principal: task, Active: true, ExpiresAt: time.Now().Add(time.Hour),
		}), task},
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, code := s.CLI(t, c.key, "sts", "get-caller-identity")
			var got struct{ UserId, Account, Arn string }
			if err := json.Unmarshal([]byte(out), &got); code != 0 || err != nil {
				t.Fatalf("%d %q %q", code, out, errs)
			}
			if got.Arn != c.want.ARN || got.UserId != c.want.UserID || got.Account != c.want.Account {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestCommandLineShowsRefusals(t *testing.T) {
	s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		api := sts.New(sts.Config{Store: st})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)
	wrong := s.Root
	wrong.Secret = "wrong"
	for name, c := range map[string]struct {
		key     identity.AccessKey
		command string
		want    string
	}{
		"wrong secret":  {wrong, "sts get-caller-identity", "(SignatureDoesNotMatch) when calling the GetCallerIdentity operation: The request signature we calculated does not match"},
		"other service": {s.Root, "cloudformation list-stacks", "(InvalidAction) when calling the ListStacks operation: berth has no engine for cloudformation."},
	} {
		t.Run(name, func(t *testing.T) {
			_, errs, code := s.CLI(t, c.key, strings.Fields(c.command)...)
			if code == 0 || !strings.Contains(errs, c.want) {
				t.Errorf("%d %q, want %q", code, errs, c.want)
			}
		})
	}
}
