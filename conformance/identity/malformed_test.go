package identity_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestMalformedPoliciesAreRefused hands policies to the aws CLI.
func TestMalformedPoliciesAreRefused(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("no aws CLI is installed: apt-get install awscli")
	}
	for what, text := range map[string]string{
		"no JSON":            `{"Version":"2012-10-17","Statement":[`,
		"no statement":       `{"Version":"2012-10-17"}`,
		"no effect":          `{"Version":"2012-10-17","Statement":[{"Action":"s3:*","Resource":"*"}]}`,
		"another effect":     `{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Action":"s3:*","Resource":"*"}]}`,
		"another version":    `{"Version":"2026-01-01","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`,
		"no resource":        `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*"}]}`,
		"no service":         `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"GetObject","Resource":"*"}]}`,
		"no ARN":             `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}]}`,
		"a principal":        `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`,
		"another operator":   `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Equals":{"a":"b"}}}]}`,
		"a word of no sense": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Why":"not"}]}`,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), program, "iam", "create-policy", "--policy-name", nameOf(t, "policy"), "--policy-document", text)
			cmd.Env = here.Environ()
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "An error occurred (MalformedPolicyDocument) when calling the CreatePolicy operation: ") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// environ is a program's environment with the variables that lead it to berth.
func (b *berth) environ() []string {
	all := append(os.Environ(), "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
	for name, value := range b.Vars {
		all = append(all, name+"="+value)
	}
	return all
}
