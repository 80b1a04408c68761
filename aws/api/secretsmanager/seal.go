package secretsmanager

import (
	"bytes"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// service is how KMS calls us in aliases.
const service = "secretsmanager"

// boundTo is the encryption context of a value, AWS's own.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
func boundTo(secretARN, version string) map[string]string {
	return map[string]string{"SecretARN": secretARN, "SecretVersionId": version}
}

// content is a value in the clear.
type content struct {
	bytes  []byte
	binary bool
}

// readContent is nil when the caller gave no value.
func readContent(text *string, binary []byte) (*content, error) {
	switch {
	case text != nil && binary != nil:
		return nil, invalidParameter("You can't specify both a binary secret value and a string secret value in the same secret.")
	case text != nil:
		return &content{bytes: []byte(*text)}, nil
	case binary != nil:
		return &content{bytes: binary, binary: true}, nil
	}
	return nil, nil
}

func (c *content) same(o *content) bool { return c.binary == o.binary && bytes.Equal(c.bytes, o.bytes) }

// keyOf is the key that new values of a secret are sealed with.
func (a *API) keyOf(tx *store.Tx, s *secret.Secret, now time.Time) (*secret.Key, error) {
	if s.Key == "" || s.Key == secret.ManagedPrefix+service {
		return a.vault.Managed(tx, s.Scope, service, now)
	}
	k, ok := store.FindCryptKey(tx, s.Scope, s.Key)
	if !ok {
		return nil, cannotEncrypt(fault.New(fault.KeyNotFound, "Key %s is not found", s.Key))
	}
	if err := k.Usable(); err != nil {
		return nil, cannotEncrypt(err)
	}
	return k, nil
}

// put seals a value as a version and stores it.
func (a *API) put(tx *store.Tx, s *secret.Secret, version string, c *content, now time.Time) (keyARN string, err error) {
	k, err := a.keyOf(tx, s, now)
	if err != nil {
		return "", err
	}
	sealed, err := a.vault.Seal(k, c.bytes, boundTo(s.ARN, version))
	if err != nil {
		return "", err
	}
	store.SecretValues.Put(tx, &secret.Value{SecretARN: s.ARN, VersionID: version, KeyARN: k.ARN, Binary: c.binary, Sealed: sealed})
	return k.ARN, nil
}

// open is the value of a version.
func (a *API) open(r store.Reader, s *secret.Secret, version string) (*content, error) {
	v, ok := store.SecretValues.Get(r, store.SecretValueKey(s.ARN, version))
	if !ok {
		return nil, fault.New(fault.ResourceNotFound, "Secrets Manager can't find the specified secret value for VersionId: %s", version)
	}
	k, ok := store.FindCryptKey(r, s.Scope, v.KeyARN)
	if !ok {
		return nil, cannotDecrypt(fault.New(fault.KeyNotFound, "Key '%s' does not exist", v.KeyARN))
	}
	if err := k.Usable(); err != nil {
		return nil, cannotDecrypt(err)
	}
	plain, err := a.vault.Open(k, v.Sealed, boundTo(s.ARN, version))
	if fault.IsKind(err, fault.InvalidCiphertext) {
		return nil, cannotDecrypt(err)
	}
	return &content{bytes: plain, binary: v.Binary}, err
}

func cannotEncrypt(why error) error {
	return fault.New(fault.EncryptionFailure, "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is available, enabled, and not in an invalid state.").
		WithHint("%s", why)
}

func cannotDecrypt(why error) error {
	return fault.New(fault.DecryptionFailure, "Secrets Manager can't decrypt the protected secret text using the provided KMS key.").WithHint("%s", why)
}

// sealAgain seals the values with a label under the secret's new key.
func (a *API) sealAgain(tx *store.Tx, s *secret.Secret, now time.Time) error {
	s.Versions = slices.Clone(s.Versions)
	for i := range s.Versions {
		v := &s.Versions[i]
		if v.Empty || len(v.Stages) == 0 {
			continue
		}
		c, err := a.open(tx, s, v.ID)
		if err != nil {
			return err
		}
		key, err := a.put(tx, s, v.ID, c, now)
		if err != nil {
			return err
		}
		if !slices.Contains(v.KeyARNs, key) {
			v.KeyARNs = append(slices.Clip(v.KeyARNs), key)
		}
	}
	return nil
}
