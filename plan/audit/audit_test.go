package audit_test

import (
	"slices"
	"testing"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/audit"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var home = arn.Scope{Account: "000000000000", Region: "us-east-1"}

const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// account is a store with the definitions, revision by revision, in it.
func account(t *testing.T, definitions ...workload.Definition) store.Store {
	t.Helper()
	st := memory.Open()
	_, err := st.Update(t.Context(), func(tx *store.Tx) error {
		for i := range definitions {
			d := definitions[i]
			d.Scope, d.Status = home, workload.Active
			d.Revision = max(d.Revision, 1)
			d.ARN = home.TaskDefinition(d.Family, d.Revision)
			store.TaskDefinitions.Put(tx, &d)
			store.Families.Put(tx, &workload.Family{Scope: home, Name: d.Family, LastRevision: d.Revision})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func of(family string, c workload.Container) workload.Definition {
	c.Name = "app"
	if c.Image == "" {
		c.Image = "app" + digest
	}
	return workload.Definition{Family: family, NetworkMode: workload.AWSVPC, Containers: []workload.Container{c}}
}

func rules(report audit.Report) []string {
	var out []string
	for _, f := range report.Findings {
		out = append(out, f.Rule+" "+f.Subject)
	}
	return out
}

func TestEachRuleFindsItsFaultAndNoMore(t *testing.T) {
	env := func(name, value string) workload.Container {
		return workload.Container{Environment: []workload.KeyValue{{Name: name, Value: value}}}
	}
	bridge := of("f", workload.Container{PortMappings: []workload.PortMapping{{ContainerPort: 80, HostPort: new(80)}}})
	bridge.NetworkMode = workload.Bridge
	dynamic := of("f", workload.Container{PortMappings: []workload.PortMapping{{ContainerPort: 80, HostPort: new(0)}}})
	dynamic.NetworkMode = workload.Bridge
	hostPID := of("f", workload.Container{})
	hostPID.PIDMode = "host"
	both := of("f", workload.Container{})
	both.TaskRoleARN, both.ExecutionRoleARN = "arn:aws:iam::000000000000:role/r", "arn:aws:iam::000000000000:role/r"
	for name, c := range map[string]struct {
		definition workload.Definition
		want       []string
	}{
		"nothing":        {of("f", workload.Container{}), nil},
		"password":       {of("f", env("DB_PASSWORD", "hunter2")), []string{"secret-in-environment f:1/app"}},
		"connection":     {of("f", env("DATABASE_URL", "postgres://u:p@h/d")), []string{"secret-in-environment f:1/app"}},
		"key":            {of("f", env("X", "AKIAIOSFODNN7EXAMPLE")), []string{"secret-in-environment f:1/app"}},
		"a file's name":  {of("f", env("PASSWORD_FILE", "/run/secrets/x")), nil},
		"an ARN":         {of("f", env("SECRET_ARN", "arn:aws:secretsmanager:x")), nil},
		"tokenizer":      {of("f", env("TOKENIZERS_PARALLELISM", "true")), nil},
		"empty":          {of("f", env("PASSWORD", "")), nil},
		"privileged":     {of("f", workload.Container{Privileged: new(true)}), []string{"privileged f:1/app"}},
		"unprivileged":   {of("f", workload.Container{Privileged: new(false)}), nil},
		"tag":            {of("f", workload.Container{Image: "host:5000/app:1"}), []string{"mutable-tag f:1/app"}},
		"no tag":         {of("f", workload.Container{Image: "host:5000/app"}), []string{"latest-tag f:1/app"}},
		"latest":         {of("f", workload.Container{Image: "app:latest"}), []string{"latest-tag f:1/app"}},
		"host port":      {bridge, []string{"fixed-host-port f:1/app"}},
		"dynamic port":   {dynamic, nil},
		"host processes": {hostPID, []string{"host-pid f:1"}},
		"one role":       {both, []string{"one-role-for-both f:1"}},
	} {
		report := audit.Look(account(t, c.definition).View(), home.Account)
		if got := rules(report); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if clean := !slices.ContainsFunc(report.Grades, func(g audit.Grade) bool { return g.Grade != "A" }); clean != (len(c.want) == 0) {
			t.Errorf("%s: grades %v", name, report.Grades)
		}
	}
}

func TestOnlyTheNewestRevisionCounts(t *testing.T) {
	old := of("f", workload.Container{Privileged: new(true)})
	mended := of("f", workload.Container{})
	mended.Revision = 2
	if got := rules(audit.Look(account(t, old, mended).View(), home.Account)); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

func TestFamiliesWithOneRoleAreNamed(t *testing.T) {
	role := "arn:aws:iam::000000000000:role/shared"
	a, b, c := of("a", workload.Container{}), of("b", workload.Container{}), of("c", workload.Container{})
	a.TaskRoleARN, b.TaskRoleARN, c.TaskRoleARN = role, role, role+"-not"
	got := rules(audit.Look(account(t, a, b, c).View(), home.Account))
	if !slices.Equal(got, []string{"shared-role " + role}) {
		t.Errorf("%q", got)
	}
}

func TestGroupsOfTasksOpenToEverybody(t *testing.T) {
	st := account(t)
	_, err := st.Update(t.Context(), func(tx *store.Tx) error {
		for _, g := range []string{"sg-used", "sg-idle"} {
			store.SecurityGroups.Put(tx, &network.SecurityGroup{Scope: home, ID: g, Name: g, Ingress: []network.Rule{{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"}, {CIDR: "10.0.0.0/8"}}})
		}
		store.Interfaces.Put(tx, &network.Interface{Scope: home, ID: "eni-1", TaskARN: home.Task("default", "t"), SecurityGroups: []string{"sg-used"}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := rules(audit.Look(st.View(), home.Account)); !slices.Equal(got, []string{"open-to-everybody sg-used"}) {
		t.Errorf("%q", got)
	}
}

func TestPoliciesWiderThanNeeded(t *testing.T) {
	for document, want := range map[string][]string{
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`:                                                        {"allows-everything"},
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`:                                                     {"wide-policy"},
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}`:                                                 {"wide-policy"},
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}}`:                                      nil,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}}`:                                    nil,
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`:                                                         nil,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}`: nil,
	} {
		d := of("f", workload.Container{})
		d.TaskRoleARN = home.Global("iam", "role/worker")
		st := account(t, d)
		_, err := st.Update(t.Context(), func(tx *store.Tx) error {
			store.Roles.Put(tx, &identity.Role{Account: home.Account, Name: "worker", ARN: d.TaskRoleARN, Grants: identity.Grants{Inline: []identity.InlinePolicy{{Name: "p", Document: document}}}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range audit.Look(st.View(), home.Account).Findings {
			got = append(got, f.Rule)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", document, got, want)
		}
	}
}
