// Package terraform holds stacks against a server with the terraform that is installed
// and the AWS provider.
package terraform

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
)

// provider asks the server who the caller is, so that must offer STS.
const provider = `
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}

provider "aws" {
  region                  = "eu-central-1"
  skip_metadata_api_check = true
  skip_region_validation  = true
  default_tags { tags = { stack = "test" } }
}
`

// Stack is a configuration in a folder of its own, and the server that it is for.
type Stack struct {
	t       testing.TB
	folder  string
	environ []string
}

// New makes a stack of a configuration, which says nothing of providers. variables are
// for all that is run, as NAME=VALUE. TF_PLUGIN_DIR may name a folder with the provider;
// without it terraform gets it from its registry. The test is skipped where there is no
// terraform, or no provider.
func New(t testing.TB, s *gatewaytest.Server, configuration string, variables ...string) *Stack {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform is not installed")
	}
	stack := &Stack{t: t, folder: t.TempDir(), environ: append(os.Environ(),
		"AWS_ACCESS_KEY_ID="+s.Root.ID, "AWS_SECRET_ACCESS_KEY="+s.Root.Secret, "AWS_ENDPOINT_URL="+s.URL, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")}
	for _, v := range variables {
		stack.environ = append(stack.environ, "TF_VAR_"+v)
	}
	for name, text := range map[string]string{"provider.tf": provider, "main.tf": configuration} {
		if err := os.WriteFile(filepath.Join(stack.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stack.init()
	return stack
}

func (s *Stack) init() {
	s.t.Helper()
	plugins := os.Getenv("TF_PLUGIN_DIR")
	if plugins != "" {
		s.do("init", "-plugin-dir="+plugins)
		return
	}
	if out, err := s.run("init"); err != nil {
		s.t.Skipf("terraform cannot get its provider, and TF_PLUGIN_DIR names no folder with it: %s", out)
	}
}

// Settle applies the stack and fails the test if another plan would change anything.
// changes are variables for these runs, as NAME=VALUE.
func (s *Stack) Settle(changes ...string) (printed string) {
	s.t.Helper()
	var words []string
	for _, c := range changes {
		words = append(words, "-var", c)
	}
	printed = s.do("apply", append([]string{"-auto-approve"}, words...)...)
	s.do("plan", append([]string{"-detailed-exitcode"}, words...)...)
	return printed
}

// Destroy removes all that the stack made.
func (s *Stack) Destroy() {
	s.t.Helper()
	s.do("destroy", "-auto-approve")
}

func (s *Stack) do(command string, words ...string) string {
	s.t.Helper()
	out, err := s.run(command, words...)
	if err != nil {
		s.t.Fatalf("terraform %s %s: %v\n%s", command, strings.Join(words, " "), err, out)
	}
	return out
}

func (s *Stack) run(command string, words ...string) (string, error) {
	run := exec.CommandContext(s.t.Context(), "terraform", append([]string{"-chdir=" + s.folder, command, "-input=false", "-no-color"}, words...)...)
	run.Env = s.environ
	out, err := run.CombinedOutput()
	return string(out), err
}
