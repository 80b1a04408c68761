package vault

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/berthhq/berth/protocol/keyfile"
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

// readMasters reads the master keys, and makes the first where there is no file;
// first says whether it may.
func readMasters(path string, first func() error, now time.Time) ([]master, error) {
	text, err := keyfile.ReadOrMake(path, func() ([]byte, error) {
		return formatMasters([]master{newMaster(now)}), first()
	})
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
