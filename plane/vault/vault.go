package vault

import (
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"crypto/rand"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// Formats of what is sealed: its first byte.
const (
	formatBlob     = 1 // by a material: format, key id, material id, salt, ciphertext
	formatMaterial = 2 // by a master key: format, master id, salt, ciphertext
)

const (
	materialIDLength = 32
	blobHeader       = 1 + 16 + materialIDLength
	materialHeader   = 1 + idLength
)

// Vault seals and opens. It is safe for many goroutines.
type Vault struct {
	path    string
	mu      sync.RWMutex
	masters []master // the last one wraps
}

// Open reads the master keys in dir, and makes the first when there is none and
// nothing in the store needs one.
func Open(dir string, v *store.View, now time.Time) (*Vault, error) {
	path := filepath.Join(dir, File)
	masters, err := readMasters(path, func() error {
		if n := store.CryptKeys.Len(v); n > 0 {
			return fmt.Errorf("%s is missing, and %d keys in the store need it: restore it from a backup, or copy it from another server", path, n)
		}
		return nil
	}, now)
	if err != nil {
		return nil, fmt.Errorf("the vault's master keys: %w", err)
	}
	vault := &Vault{path: path, masters: masters}
	for k := range store.CryptKeys.All(v) {
		for _, m := range k.Materials {
			if _, err := vault.unwrap(k.ARN, m); err != nil {
				return nil, fmt.Errorf("%s does not fit the store (%w): restore it from a backup, or copy it from another server", path, err)
			}
		}
	}
	return vault, nil
}

func (v *Vault) current() master {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.masters[len(v.masters)-1]
}

func (v *Vault) master(id []byte) (master, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, m := range v.masters {
		if string(m.id[:]) == string(id) {
			return m, true
		}
	}
	return master{}, false
}

// NewMaterial makes material for a key.
func (v *Vault) NewMaterial(keyARN string, now time.Time) (secret.Material, error) {
	var id, plain [materialIDLength]byte
	rand.Read(id[:]) // never fails
	rand.Read(plain[:])
	m := secret.Material{ID: hex.EncodeToString(id[:]), CreatedAt: now}
	return v.wrap(keyARN, m, plain[:])
}

func (v *Vault) wrap(keyARN string, m secret.Material, plain []byte) (secret.Material, error) {
	current := v.current()
	header := append([]byte{formatMaterial}, current.id[:]...)
	var err error
	m.Wrapped, err = seal(current.secret[:], header, bind(keyARN, m.ID), plain)
	return m, err
}

func (v *Vault) unwrap(keyARN string, m secret.Material) ([]byte, error) {
	if len(m.Wrapped) < materialHeader || m.Wrapped[0] != formatMaterial {
		return nil, fmt.Errorf("the material of %s is damaged", keyARN)
	}
	header := m.Wrapped[:materialHeader]
	by, ok := v.master(header[1:])
	if !ok {
		return nil, fmt.Errorf("master key %x, which %s needs, is not there", header[1:], keyARN)
	}
	plain, err := open(by.secret[:], header, bind(keyARN, m.ID), m.Wrapped)
	if err != nil {
		return nil, fmt.Errorf("the material of %s: %w", keyARN, err)
	}
	return plain, nil
}

// Seal encrypts under the key. The blob opens with the same context only.
func (v *Vault) Seal(k *secret.Key, plain []byte, context map[string]string) ([]byte, error) {
	m := k.Materials[len(k.Materials)-1]
	header, err := blobHeaderOf(k, m)
	if err != nil {
		return nil, err
	}
	material, err := v.unwrap(k.ARN, m)
	if err != nil {
		return nil, err
	}
	return seal(material, header, boundTo(k, context), plain)
}

// Open decrypts what Seal made. What it refuses is an InvalidCiphertext fault.
func (v *Vault) Open(k *secret.Key, blob []byte, context map[string]string) ([]byte, error) {
	id, err := KeyID(blob)
	if err != nil || id != k.ID {
		return nil, invalid()
	}
	named := hex.EncodeToString(blob[blobHeader-materialIDLength : blobHeader])
	i := slices.IndexFunc(k.Materials, func(m secret.Material) bool { return m.ID == named })
	if i < 0 {
		return nil, invalid()
	}
	material, err := v.unwrap(k.ARN, k.Materials[i])
	if err != nil {
		return nil, err
	}
	plain, err := open(material, blob[:blobHeader], boundTo(k, context), blob)
	if err != nil {
		return nil, invalid()
	}
	return plain, nil
}

// KeyID is the id of the key that a blob was sealed with. It is not proven before
// the blob opens.
func (v *Vault) KeyID(blob []byte) (string, error) { return KeyID(blob) }

// KeyID reads a blob's header.
func KeyID(blob []byte) (string, error) {
	if len(blob) < blobHeader+saltLength+tagLength || blob[0] != formatBlob {
		return "", invalid()
	}
	id, err := uuid.FromBytes(blob[1:17])
	if err != nil {
		return "", invalid()
	}
	return id.String(), nil
}

func invalid() error { return fault.New(fault.InvalidCiphertext, "The ciphertext is not valid.") }

func blobHeaderOf(k *secret.Key, m secret.Material) ([]byte, error) {
	id, err := uuid.Parse(k.ID)
	if err != nil {
		return nil, fmt.Errorf("the id of %s: %w", k.ARN, err)
	}
	material, err := hex.DecodeString(m.ID)
	if err != nil || len(material) != materialIDLength {
		return nil, fmt.Errorf("the id of a material of %s is damaged", k.ARN)
	}
	return slices.Concat([]byte{formatBlob}, id[:], material), nil
}

// boundTo is what a blob is authenticated with besides its header.
func boundTo(k *secret.Key, context map[string]string) []byte {
	texts := []string{k.ARN}
	for _, name := range slices.Sorted(maps.Keys(context)) {
		texts = append(texts, name, context[name])
	}
	return bind(texts...)
}

// Managed finds the key that AWS manages for a service, and makes it on first use.
func (v *Vault) Managed(tx *store.Tx, scope arn.Scope, service string, now time.Time) (*secret.Key, error) {
	if k, ok := store.FindCryptKey(tx, scope, secret.ManagedPrefix+service); ok {
		return k, nil
	}
	k, alias := secret.NewManaged(scope, service, uuid.NewString(), now)
	m, err := v.NewMaterial(k.ARN, now)
	if err != nil {
		return nil, err
	}
	k.Materials = []secret.Material{m}
	store.CryptKeys.Put(tx, k)
	store.KeyAliases.Put(tx, alias)
	return k, nil
}
