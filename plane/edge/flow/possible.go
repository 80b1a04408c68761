package flow

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/space"
)

// Possible tells why this machine's kernel cannot carry connections, by having it do so
// in a namespace of its own.
func Possible() error {
	dir, err := os.MkdirTemp("", "berth-flow-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := space.Create(filepath.Join(dir, "space"), nil)
	if err != nil {
		return err
	}
	defer func() { s.Close(); _ = space.Remove(s.Path()) }()
	here := netip.MustParseAddr("192.0.2.1")
	t, err := openTable(s, here)
	if err != nil {
		return err
	}
	p := port{number: 80, protocol: unix.IPPROTO_TCP, slots: spread([]share{{netip.AddrPortFrom(here, 8080), 1}})}
	return errors.Join(t.set([]port{p}, defaultIdle), t.close())
}
