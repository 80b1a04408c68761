package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthhq/berth/protocol/join"
)

// keys are what the machine got by joining; they are its identity for good.
type keys struct{ join.Response }

func (h *Host) keysFile() string { return filepath.Join(h.Data, "keys.json") }

// join exchanges the token for keys, unless the machine has some.
func (h *Host) join(ctx context.Context) error {
	data, err := os.ReadFile(h.keysFile())
	switch {
	case err == nil:
		h.keys = &keys{}
		if err := json.Unmarshal(data, &h.keys.Response); err != nil {
			return fmt.Errorf("%s is damaged: remove it and join again with a new token (%w)", h.keysFile(), err)
		}
		return h.trustServer()
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	text, err := os.ReadFile(h.TokenFile)
	if err != nil {
		return fmt.Errorf("this machine has not joined and there is no token: make one with `berth token create` (%w)", err)
	}
	token, err := join.ParseToken(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	got, err := join.Join(ctx, h.Server, token, h.machine())
	if err != nil {
		return fmt.Errorf("join %s: %w", h.Server, err)
	}
	h.keys = &keys{*got}
	if data, err = json.Marshal(got); err != nil {
		return err
	}
	part := h.keysFile() + ".part"
	if err := os.WriteFile(part, data, 0o600); err != nil {
		return err
	}
	if err := os.Rename(part, h.keysFile()); err != nil {
		return err
	}
	_ = os.Remove(h.TokenFile) // it is spent
	return h.trustServer()
}

// machine is what this one says of itself when it joins.
func (h *Host) machine() join.Machine {
	name, _ := os.Hostname()
	m := join.Machine{Name: name, Zone: h.Zone, Architecture: architecture()}
	if a := localAddress(); a.IsValid() {
		m.Address = a.String()
	}
	return m
}

func (h *Host) authorityFile() string { return filepath.Join(h.Data, "authority.crt") }

// trustServer trusts the authority that the join proved, and no other.
func (h *Host) trustServer() (err error) {
	if !strings.HasPrefix(h.Server, "https:") {
		return nil
	}
	if h.tls, err = join.AuthorityTLS([]byte(h.keys.Authority)); err != nil {
		return err
	}
	return os.WriteFile(h.authorityFile(), []byte(h.keys.Authority), 0o644)
}
