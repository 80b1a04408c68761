package vault

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// File has the master keys, the one in use last.
const File = "vault.key"

const (
	blockType    = "BERTH MASTER KEY"
	masterLength = 32
	idLength     = 8
)

// master is one master key.
type master struct {
	id      [idLength]byte
	secret  [masterLength]byte
	created time.Time
}

func (m *master) name() string { return hex.EncodeToString(m.id[:]) }

func newMaster(now time.Time) master {
	m := master{created: now.UTC()}
	rand.Read(m.id[:]) // never fails
	rand.Read(m.secret[:])
	return m
}

func readMasters(path string) ([]master, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others: run `chmod 600 %s`", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	masters, err := parseMasters(text)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): restore it from a backup", path, err)
	}
	return masters, nil
}

func parseMasters(text []byte) (masters []master, err error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		m, err := parseMaster(block)
		if err != nil {
			return nil, err
		}
		masters, text = append(masters, m), rest
	}
	switch {
	case len(masters) == 0:
		return nil, errors.New("it has no key")
	case len(text) > 0:
		return nil, errors.New("something follows the last key")
	}
	return masters, nil
}

func parseMaster(block *pem.Block) (m master, err error) {
	id, err := hex.DecodeString(block.Headers["Id"])
	if err != nil || len(id) != idLength || block.Type != blockType || len(block.Bytes) != masterLength {
		return m, errors.New("a key has not the form of one")
	}
	if m.created, err = time.Parse(time.RFC3339, block.Headers["Created"]); err != nil {
		return m, err
	}
	copy(m.id[:], id)
	copy(m.secret[:], block.Bytes)
	return m, nil
}

func formatMasters(masters []master) []byte {
	var out []byte
	for i := range masters {
		m := &masters[i]
		out = append(out, pem.EncodeToMemory(&pem.Block{
			Type: blockType, Bytes: m.secret[:],
			Headers: map[string]string{"Id": m.name(), "Created": m.created.Format(time.RFC3339)},
		})...)
	}
	return out
}

// writeMasters makes the file whole or not at all. A fresh one is left alone when
// another process made it meanwhile.
func writeMasters(path string, masters []master, fresh bool) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".vault-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(formatMasters(masters))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if !fresh {
		err = os.Rename(f.Name(), path)
	} else if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return errors.Join(err, syncDir(dir))
}

// syncDir makes a new name in a folder last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
