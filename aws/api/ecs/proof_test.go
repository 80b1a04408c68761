package ecs_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plane/authority"
	"github.com/berthhq/berth/protocol/join"
	"github.com/berthhq/berth/store"
)

// TestARegistrationProvesItsMachine takes documents that berth signed of the caller's
// own machine only, and binds the machine's keys to its instance.
func TestARegistrationProvesItsMachine(t *testing.T) {
	dir := t.TempDir()
	trust, err := authority.Open(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	notary, err := trust.Notary(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := startWith(t, notary)
	s.do("CreateCluster", `{}`)
	enrol := func(in arn.Scope) (identity.AccessKey, join.Identity) {
		gate := &authority.Gate{Store: s.Store, Authority: trust, Notary: notary, Clock: time.Now}
		token, err := gate.CreateToken(t.Context(), in, in.Cluster("default"), in.Global("iam", "role/ecsInstanceRole"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := gate.Exchange(t.Context(), token.Secret, join.Machine{})
		if err != nil {
			t.Fatal(err)
		}
		key, _ := store.AccessKeys.Get(s.Store.View(), got.AccessKeyID)
		return *key, got.Identity
	}
	register := func(key identity.AccessKey, document, signature string) answer {
		text, _ := json.Marshal(document)
		sign, _ := json.Marshal(signature)
		return s.as(key, "RegisterContainerInstance", fmt.Sprintf(`{"cluster": "default", "instanceIdentityDocument": %s, "instanceIdentityDocumentSignature": %s,
			"totalResources": [{"name": "CPU", "integerValue": 1024}, {"name": "MEMORY", "integerValue": 1024}]}`, text, sign))
	}
	mine, myself := enrol(scope)
	other, another := enrol(scope)
	_, abroad := enrol(arn.Scope{Account: scope.Account, Region: "eu-west-9"})
	unsigned := fmt.Sprintf(`{"instanceId": %q}`, arn.NameOf(mine.Principal.ARN))
	for name, c := range map[string]struct {
		key identity.AccessKey
		id  join.Identity
	}{
		"nothing":                          {mine, join.Identity{}},
		"unsigned":                         {mine, join.Identity{Document: unsigned}},
		"of another machine":               {mine, another},
		"of another region":                {mine, abroad},
		"another's signature":              {mine, join.Identity{Document: myself.Document, Signature: another.Signature}},
		"a machine's, by an administrator": {s.Root, myself},
		"unsigned, by an administrator":    {s.Root, join.Identity{Document: unsigned}},
	} {
		if out := register(c.key, c.id.Document, c.id.Signature); out.kind != "AccessDeniedException" {
			t.Errorf("%s: %+v", name, out)
		}
	}
	first := register(mine, myself.Document, myself.Signature)
	if first.kind != "" || get(first, "containerInstance", "ec2InstanceId") != arn.NameOf(mine.Principal.ARN) {
		t.Fatalf("%+v", first)
	}
	mine.Principal.InstanceARN = get(first, "containerInstance", "containerInstanceArn").(string)
	for name, c := range map[string]struct{ document, signature string }{"again": {myself.Document, myself.Signature}, "again, as machines do that joined long ago": {unsigned, ""}} {
		if out := register(mine, c.document, c.signature); out.kind != "" || get(out, "containerInstance", "containerInstanceArn") != mine.Principal.InstanceARN {
			t.Errorf("%s: %+v", name, out)
		}
	}
	if out := register(mine, another.Document, another.Signature); out.kind != "AccessDeniedException" {
		t.Errorf("a second machine with the first one's keys: %+v", out)
	}
	if out := register(other, another.Document, another.Signature); out.kind != "" || get(out, "containerInstance", "containerInstanceArn") == mine.Principal.InstanceARN {
		t.Errorf("another machine: %+v", out)
	}
	if out := register(s.Root, "", ""); out.kind != "" {
		t.Errorf("an agent outside of EC2: %+v", out)
	}
}
