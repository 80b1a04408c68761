package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/store/etcd"
)

// markers are secrets that no file may have, in any spelling.
const (
	marker      = "correct-horse-battery-staple"
	shownMarker = "this-is-no-secret-description"
)

// use has every operation that takes a secret take one.
func (h *house) use(t *testing.T) {
	arn := h.newKey("alias/mine")
	for name, key := range map[string]*string{"managed": nil, "own": &arn} {
		done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{
			Name: &name, SecretString: new(marker + "-1"), KmsKeyId: key, Description: new(shownMarker),
		}))
		done[*secretsmanager.PutSecretValueOutput](t)(h.secrets.PutSecretValue(background, &secretsmanager.PutSecretValueInput{SecretId: &name, SecretBinary: []byte(marker + "-2")}))
		done[*secretsmanager.UpdateSecretOutput](t)(h.secrets.UpdateSecret(background, &secretsmanager.UpdateSecretInput{SecretId: &name, SecretString: new(marker + "-3")}))
		done[*secretsmanager.GetSecretValueOutput](t)(h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: &name}))
		done[*ssm.PutParameterOutput](t)(h.params.PutParameter(background, &ssm.PutParameterInput{Name: new("/p/" + name), Value: new(marker + "-4"), Type: types.ParameterTypeSecureString, KeyId: key}))
		done[*ssm.GetParameterOutput](t)(h.params.GetParameter(background, &ssm.GetParameterInput{Name: new("/p/" + name), WithDecryption: new(true)}))
	}
	sealed := done[*kms.EncryptOutput](t)(h.keys.Encrypt(background, &kms.EncryptInput{KeyId: &arn, Plaintext: []byte(marker)}))
	done[*kms.DecryptOutput](t)(h.keys.Decrypt(background, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob}))
	// Refusals must not repeat what they refuse.
	_, err := h.secrets.PutSecretValue(background, &secretsmanager.PutSecretValueInput{SecretId: new("own"), SecretString: new(marker + strings.Repeat("x", 70_000))})
	refused(t, err, "ValidationException", "'***' at 'secretString'")
	_, err = h.params.PutParameter(background, &ssm.PutParameterInput{Name: new("bad"), Value: new(marker), Type: types.ParameterTypeSecureString, AllowedPattern: new(`^\d$`)})
	refused(t, err, "ParameterPatternMismatchException", "")
	_, err = h.params.PutParameter(background, &ssm.PutParameterInput{Name: new("bad"), Value: new(marker + strings.Repeat("x", 9000)), Type: types.ParameterTypeSecureString})
	refused(t, err, "ValidationException", "")
}

func spellings() [][]byte {
	text := []byte(marker)
	list := [][]byte{text, []byte(hex.EncodeToString(text))}
	for shift := range 3 { // base64 of it at each place within a longer text
		padded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), text...))
		list = append(list, []byte(padded[4:len(padded)-4]))
	}
	return list
}

// Neither the store's files, nor the audit, nor the log has a secret in it, through
// uses, refusals and a rotation of the master key.
func TestNothingSecretIsWrittenDown(t *testing.T) {
	dir := t.TempDir()
	st, err := etcd.Open(background, etcd.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var log gatewaytest.Lines
	h := openLogging(t, st, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	h.use(t)
	if _, err := h.vault.Rotate(background, st, h.clock.now()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"managed", "own"} {
		got := done[*secretsmanager.GetSecretValueOutput](t)(h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: &name}))
		equal(t, name, *got.SecretString, marker+"-3")
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	written := map[string][]byte{"the audit": []byte(strings.Join(h.Audit.All(), "\n")), "the log": []byte(strings.Join(log.All(), "\n"))}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			written[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	described := false
	for name, content := range written {
		described = described || strings.HasPrefix(name, dir) && bytes.Contains(content, []byte(shownMarker))
		for _, spelling := range spellings() {
			if i := bytes.Index(content, spelling); i >= 0 {
				t.Errorf("%s has %q at %d of %d bytes", name, spelling, i, len(content))
			}
		}
	}
	if !described {
		t.Error("the files do not show what is no secret either: they are not what the store wrote")
	}
	if len(written) < 4 || len(h.Audit.All()) < 10 {
		t.Errorf("too little was looked at: %d files, %d lines of audit", len(written)-2, len(h.Audit.All()))
	}
}
