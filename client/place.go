// Package client is how berth's own command line and scripts reach a running
// berth: where it is, with which keys, and signed calls to its APIs.
package client

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Place is a berth that can be called.
type Place struct {
	Endpoint     string // http://127.0.0.1:4566
	AccessKeyID  string
	Secret       string
	SessionToken string
	Region       string
	CAFile       string // PEM of the authority to trust; empty for the system's
}

// EnvFile is the file in a data folder that says where its berth is.
func EnvFile(data string) string { return filepath.Join(data, "env") }

// DefaultData is the data folder when none is named: $BERTH_DATA, else ~/.berth.
func DefaultData() string {
	if dir := os.Getenv("BERTH_DATA"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ".berth"
	}
	return filepath.Join(home, ".berth")
}

// Find finds the running berth: by the AWS variables of the environment when they
// name an endpoint and keys, else by the data folder's env file.
func Find(data string) (Place, error) {
	p := fromVariables(os.Getenv)
	if p.Endpoint != "" && p.AccessKeyID != "" && p.Secret != "" {
		return p, nil
	}
	vars, err := readEnv(EnvFile(data))
	if errors.Is(err, os.ErrNotExist) {
		return Place{}, fmt.Errorf("no berth found: AWS_ENDPOINT_URL is not set and %s does not exist; start one with `berth up`, or name its folder with --data", EnvFile(data))
	}
	if err != nil {
		return Place{}, err
	}
	return fromVariables(func(name string) string { return vars[name] }), nil
}

func fromVariables(get func(string) string) Place {
	p := Place{
		Endpoint: get("AWS_ENDPOINT_URL"), AccessKeyID: get("AWS_ACCESS_KEY_ID"), Secret: get("AWS_SECRET_ACCESS_KEY"),
		SessionToken: get("AWS_SESSION_TOKEN"), Region: get("AWS_REGION"), CAFile: get("AWS_CA_BUNDLE"),
	}
	if p.Region == "" {
		p.Region = get("AWS_DEFAULT_REGION")
	}
	if p.Region == "" {
		p.Region = "us-east-1"
	}
	return p
}

// WriteEnv writes the file that `berth env` prints, for its owner only.
func (p Place) WriteEnv(data string) error {
	var b strings.Builder
	for _, kv := range p.Variables() {
		fmt.Fprintf(&b, "export %s=%s\n", kv[0], quote(kv[1]))
	}
	part := EnvFile(data) + ".part"
	if err := os.WriteFile(part, []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(part, EnvFile(data))
}

// Variables are the place as the environment variables that AWS clients read.
func (p Place) Variables() [][2]string {
	vars := [][2]string{
		{"AWS_ENDPOINT_URL", p.Endpoint}, {"AWS_ACCESS_KEY_ID", p.AccessKeyID}, {"AWS_SECRET_ACCESS_KEY", p.Secret},
		{"AWS_DEFAULT_REGION", p.Region}, {"AWS_REGION", p.Region},
		{"AWS_DISABLE_HOST_PREFIX_INJECTION", "true"}, // "data-127.0.0.1", say, for Cloud Map
	}
	if p.SessionToken != "" {
		vars = append(vars, [2]string{"AWS_SESSION_TOKEN", p.SessionToken})
	}
	if p.CAFile != "" {
		vars = append(vars, [2]string{"AWS_CA_BUNDLE", p.CAFile})
	}
	return vars
}

func quote(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:+=@%,") == "" && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func readEnv(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	vars := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if ok {
			vars[name] = strings.ReplaceAll(strings.Trim(value, "'"), `'\''`, "'")
		}
	}
	return vars, nil
}
