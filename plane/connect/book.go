package connect

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/berthhq/berth/domain/discovery"
)

// firstAddress and addresses are the range of what names answer: see agent/network's
// Callable. The first and last of it are left out.
const (
	firstAddress = 169<<24 | 254<<16 | 64<<8
	addresses    = 1 << 14
)

// book is what a node keeps on disk. A name keeps its address for good: clients may
// remember it for longer than any time to live.
type book struct {
	path  string
	taken map[netip.Addr]bool

	Meshes []discovery.Mesh
	// Names are the addresses of names, by namespace and name.
	Names map[string]netip.Addr
}

func openBook(path string) (*book, error) {
	b := &book{path: path, taken: map[netip.Addr]bool{}, Names: map[string]netip.Addr{}}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return b, nil
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(text, b); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", path, err)
	}
	for _, a := range b.Names {
		b.taken[a] = true
	}
	return b, nil
}

// address is that of a name, given out at the first asking. Two namespaces may share
// one only when all are given out: who calls tells them apart.
func (b *book) address(namespace, name string) netip.Addr {
	key := namespace + "/" + name
	if a, ok := b.Names[key]; ok {
		return a
	}
	h := fnv.New32a()
	h.Write([]byte(key))
	start := h.Sum32()
	var a netip.Addr
	for i := range uint32(addresses) {
		a = nth(start + i)
		if !b.taken[a] {
			break
		}
	}
	b.Names[key], b.taken[a] = a, true
	return a
}

func nth(n uint32) netip.Addr {
	var bytes [4]byte
	binary.BigEndian.PutUint32(bytes[:], firstAddress+1+n%(addresses-2))
	return netip.AddrFrom4(bytes)
}

// keep writes the book, with the meshes, in one step.
func (b *book) keep(meshes []discovery.Mesh) error {
	b.Meshes = meshes
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	part := filepath.Join(filepath.Dir(b.path), "."+filepath.Base(b.path)+".part")
	if err := os.WriteFile(part, text, 0o600); err != nil {
		return err
	}
	return os.Rename(part, b.path)
}
