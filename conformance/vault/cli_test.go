package vault_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The aws command stores, reads and describes.
func TestByCommandLine(t *testing.T) {
	h := open(t, nil)
	run := func(args ...string) map[string]any {
		t.Helper()
		out, errs, code := h.CLI(t, h.Root, args...)
		if code != 0 {
			t.Fatalf("aws %s: %s", strings.Join(args, " "), errs)
		}
		answer := map[string]any{}
		if out != "" {
			if err := json.Unmarshal([]byte(out), &answer); err != nil {
				t.Fatalf("aws %s: %q", strings.Join(args, " "), out)
			}
		}
		return answer
	}
	run("secretsmanager", "create-secret", "--name", "cli", "--secret-string", `{"a":"b"}`, "--tags", "Key=k,Value=v")
	equal(t, "secret", run("secretsmanager", "get-secret-value", "--secret-id", "cli")["SecretString"], any(`{"a":"b"}`))
	equal(t, "listed", len(run("secretsmanager", "list-secrets", "--filters", "Key=name,Values=cli")["SecretList"].([]any)), 1)
	run("ssm", "put-parameter", "--name", "/cli/p", "--type", "SecureString", "--value", "hush")
	p, _ := run("ssm", "get-parameter", "--name", "/cli/p", "--with-decryption")["Parameter"].(map[string]any)
	equal(t, "parameter", p["Value"], any("hush"))
	key, _ := run("kms", "create-key", "--description", "cli")["KeyMetadata"].(map[string]any)
	dir := t.TempDir()
	plain, file := filepath.Join(dir, "plain"), filepath.Join(dir, "blob")
	if err := os.WriteFile(plain, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	sealed, _ := run("kms", "encrypt", "--key-id", key["KeyId"].(string), "--plaintext", "fileb://"+plain)["CiphertextBlob"].(string)
	blob, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, blob, 0o600); err != nil {
		t.Fatal(err)
	}
	equal(t, "decrypted", run("kms", "decrypt", "--ciphertext-blob", "fileb://"+file)["Plaintext"], any(base64.StdEncoding.EncodeToString([]byte("hush"))))
	_, errs, code := h.CLI(t, h.Root, "secretsmanager", "get-secret-value", "--secret-id", "none")
	if code == 0 || !strings.Contains(errs, "(ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret.") {
		t.Errorf("refusal: %d %s", code, errs)
	}
}
