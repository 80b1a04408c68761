package vault

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	began = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	scope = arn.Scope{Account: "123456789012", Region: "eu-central-1"}
)

func mustOpen(t testing.TB, dir string, v *store.View) *Vault {
	t.Helper()
	vault, err := Open(dir, v, began)
	if err != nil {
		t.Fatal(err)
	}
	return vault
}

// managed makes the key of a service in the store.
func managed(t testing.TB, v *Vault, st store.Store, service string) *secret.Key {
	t.Helper()
	var k *secret.Key
	_, err := st.Update(context.Background(), func(tx *store.Tx) (err error) {
		k, err = v.Managed(tx, scope, service, began)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func stored(t testing.TB, st store.Store, k *secret.Key) *secret.Key {
	t.Helper()
	have, ok := store.CryptKeys.Get(st.View(), store.ScopeKey(k.Scope, k.ID))
	if !ok {
		t.Fatalf("%s is not stored", k.ARN)
	}
	return have
}

func TestMasterKeyFile(t *testing.T) {
	st, dir := memory.Open(), t.TempDir()
	v := mustOpen(t, dir, st.View())
	path := filepath.Join(dir, File)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file: %v, %v", info, err)
	}
	k := managed(t, v, st, "ssm")
	blob, err := v.Seal(k, []byte("hush"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := mustOpen(t, dir, st.View()).Open(k, blob, nil); err != nil || string(plain) != "hush" {
		t.Errorf("after a restart: %q, %v", plain, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".vault-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUnfitMasterKeyFilesAreRefused(t *testing.T) {
	whole := func(m ...master) []byte { return formatMasters(m) }
	for name, c := range map[string]struct {
		spoil func(path string) error
		says  string
	}{
		"readable by others": {func(path string) error { return os.Chmod(path, 0o640) }, "chmod 600"},
		"empty":              {func(path string) error { return os.WriteFile(path, nil, 0o600) }, "damaged"},
		"half":               {func(path string) error { return os.WriteFile(path, whole(newMaster(began))[:60], 0o600) }, "damaged"},
		"more":               {func(path string) error { return os.WriteFile(path, append(whole(newMaster(began)), "x"...), 0o600) }, "damaged"},
		"another's":          {func(path string) error { return os.WriteFile(path, whole(newMaster(began)), 0o600) }, "does not fit the store"},
		"missing":            {os.Remove, "is missing"},
	} {
		st, dir := memory.Open(), t.TempDir()
		managed(t, mustOpen(t, dir, st.View()), st, "ssm")
		if err := c.spoil(filepath.Join(dir, File)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, st.View(), began); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is sealed opens under its own key and context, and under no other, in
// whatever place it is put.
func TestBlobsOpenInTheirPlaceOnly(t *testing.T) {
	st := memory.Open()
	v := mustOpen(t, t.TempDir(), st.View())
	keys := []*secret.Key{managed(t, v, st, "ssm"), managed(t, v, st, "secretsmanager")}
	contexts := rapid.MapOfN(rapid.String(), rapid.String(), 0, 3)
	rapid.Check(t, func(r *rapid.T) {
		type place struct {
			key     *secret.Key
			context map[string]string
			plain   []byte
			blob    []byte
		}
		places := make([]place, 2)
		for i := range places {
			p := &places[i]
			p.key, p.context, p.plain = rapid.SampledFrom(keys).Draw(r, "key"), contexts.Draw(r, "context"), rapid.SliceOf(rapid.Byte()).Draw(r, "plain")
			var err error
			if p.blob, err = v.Seal(p.key, p.plain, p.context); err != nil {
				r.Fatal(err)
			}
			if got, err := v.Open(p.key, p.blob, p.context); err != nil || !bytes.Equal(got, p.plain) {
				r.Fatalf("does not open: %v", err)
			}
		}
		a, b := places[0], places[1]
		if bytes.Equal(a.blob, b.blob) {
			r.Fatal("two blobs are the same")
		}
		if a.key == b.key && maps.Equal(a.context, b.context) {
			return
		}
		for _, swapped := range []struct{ of, in place }{{a, b}, {b, a}} {
			if _, err := v.Open(swapped.in.key, swapped.of.blob, swapped.in.context); !fault.IsKind(err, fault.InvalidCiphertext) {
				r.Fatalf("a blob opened in another's place: %v", err)
			}
		}
	})
}

// A context is not the same as another whose names and values join to the same text.
func TestContextsDoNotRunTogether(t *testing.T) {
	st := memory.Open()
	v := mustOpen(t, t.TempDir(), st.View())
	k := managed(t, v, st, "ssm")
	blob, err := v.Seal(k, []byte("x"), map[string]string{"a": "bc", "d": "e"})
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []map[string]string{nil, {"a": "bc"}, {"ab": "c", "d": "e"}, {"a": "b", "cd": "e"}, {"a": "bcde"}, {"d": "bc", "a": "e"}} {
		if _, err := v.Open(k, blob, other); err == nil {
			t.Errorf("opened with %v", other)
		}
	}
}

func TestAChangedByteNeverOpens(t *testing.T) {
	st := memory.Open()
	v := mustOpen(t, t.TempDir(), st.View())
	k := managed(t, v, st, "ssm")
	blob, err := v.Seal(k, []byte("hush"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range blob {
		bad := bytes.Clone(blob)
		bad[i] ^= 1
		if _, err := v.Open(k, bad, nil); err == nil {
			t.Errorf("byte %d may change", i)
		}
		if _, err := v.Open(k, blob[:i], nil); err == nil {
			t.Errorf("the first %d bytes are enough", i)
		}
	}
}

func FuzzOpen(f *testing.F) {
	st := memory.Open()
	v := mustOpen(f, f.TempDir(), st.View())
	k := managed(f, v, st, "ssm")
	blob, err := v.Seal(k, []byte("hush"), map[string]string{"a": "b"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(blob, "a", "b")
	f.Add([]byte{formatBlob}, "", "")
	f.Add(k.Materials[0].Wrapped, "", "")
	f.Fuzz(func(t *testing.T, blob2 []byte, name, value string) {
		plain, err := v.Open(k, blob2, map[string]string{name: value})
		if err == nil && (string(plain) != "hush" || !bytes.Equal(blob, blob2) || name != "a" || value != "b") {
			t.Errorf("%x opened as %q", blob2, plain)
		}
		if err != nil && !fault.IsKind(err, fault.InvalidCiphertext) {
			t.Errorf("%x: %v", blob2, err)
		}
	})
}

func FuzzMasterKeyFile(f *testing.F) {
	f.Add(formatMasters([]master{newMaster(began), newMaster(began)}))
	f.Fuzz(func(t *testing.T, text []byte) {
		if masters, err := parseMasters(text); err == nil && len(masters) == 0 {
			t.Error("no key, and no error")
		}
	})
}

// A rotation wraps what there is with a new master key, keeps every blob readable,
// and keeps the old store readable, too.
func TestRotationKeepsEverythingReadable(t *testing.T) {
	st, dir := memory.Open(), t.TempDir()
	v := mustOpen(t, dir, st.View())
	const many = rewrapAtOnce + 7
	var keys []*secret.Key
	var blobs [][]byte
	seal := func() {
		for i, k := range keys {
			blob, err := v.Seal(stored(t, st, k), fmt.Appendf(nil, "value %d", i), nil)
			if err != nil {
				t.Fatal(err)
			}
			blobs = append(blobs, blob)
		}
	}
	for i := range many {
		keys = append(keys, managed(t, v, st, fmt.Sprintf("s%d", i)))
	}
	seal()
	before := st.View()
	for range 2 {
		done, err := v.Rotate(context.Background(), st, began)
		if err != nil || done.Keys != many || done.MasterKey == "" {
			t.Fatalf("rotated %+v, %v", done, err)
		}
		seal()
	}
	if v.anyOld(st.View()) {
		t.Error("something is still wrapped with an old master key")
	}
	for name, state := range map[string]*store.View{"now": st.View(), "before": before} {
		again := mustOpen(t, dir, state)
		for i, blob := range blobs {
			k, ok := store.CryptKeys.Get(state, store.ScopeKey(scope, keys[i%many].ID))
			if !ok {
				t.Fatal("a key is gone")
			}
			if plain, err := again.Open(k, blob, nil); err != nil || string(plain) != fmt.Sprintf("value %d", i%many) {
				t.Fatalf("%s: blob %d: %q, %v", name, i, plain, err)
			}
		}
	}
	if done, err := v.Rewrap(context.Background(), st); done != 0 || err != nil {
		t.Errorf("there was more to wrap: %d, %v", done, err)
	}
}

// Half a rotation, the new master key on disk and nothing wrapped, is finished by
// the upkeep.
func TestUpkeepFinishesARotation(t *testing.T) {
	st, dir := memory.Open(), t.TempDir()
	v := mustOpen(t, dir, st.View())
	k := managed(t, v, st, "ssm")
	blob, err := v.Seal(k, []byte("hush"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.add(newMaster(began)); err != nil {
		t.Fatal(err)
	}
	v = mustOpen(t, dir, st.View())
	u := &Upkeep{Vault: v, Store: st, Now: func() time.Time { return began }}
	if err := u.Look(context.Background()); err != nil || v.anyOld(st.View()) {
		t.Errorf("not wrapped anew: %v", err)
	}
	if plain, err := v.Open(stored(t, st, k), blob, nil); err != nil || string(plain) != "hush" {
		t.Errorf("got %q, %v", plain, err)
	}
}

func TestUpkeepForgetsWhatIsOver(t *testing.T) {
	st := memory.Open()
	v := mustOpen(t, t.TempDir(), st.View())
	now := began
	u := &Upkeep{Vault: v, Store: st, Now: func() time.Time { return now }}
	kept, turning, gone := managed(t, v, st, "a"), managed(t, v, st, "b"), managed(t, v, st, "c")
	_, err := st.Update(context.Background(), func(tx *store.Tx) error {
		doomed, never, turns := *gone, *kept, *turning
		doomed.State, doomed.DeleteAt = secret.PendingDeletion, began.AddDate(0, 0, 7)
		never.RotateEvery, turns.RotateEvery, turns.RotateAt = 0, 90, began.AddDate(0, 0, 7)
		store.CryptKeys.Put(tx, &doomed)
		store.CryptKeys.Put(tx, &never)
		store.CryptKeys.Put(tx, &turns)
		s := &secret.Secret{Scope: scope, Name: "s", ARN: secret.ARN(scope, "s", "abcdef"), DeleteAt: began.AddDate(0, 0, 7), Versions: []secret.Version{{ID: "v"}}}
		store.Secrets.Put(tx, s)
		store.SecretValues.Put(tx, &secret.Value{SecretARN: s.ARN, VersionID: "v"})
		store.Parameters.Put(tx, &secret.Parameter{Scope: scope, Name: "p", Latest: 2, Oldest: 1})
		for n := range int64(2) {
			store.Editions.Put(tx, &secret.Edition{Scope: scope, Name: "p", Version: n + 1, Policies: []secret.ParameterPolicy{{ExpiresAt: began.AddDate(0, 0, 7)}}})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	counts := func() [5]int {
		r := st.View()
		return [5]int{store.CryptKeys.Len(r), store.KeyAliases.Len(r), store.Secrets.Len(r), store.SecretValues.Len(r), store.Editions.Len(r) + store.Parameters.Len(r)}
	}
	for _, c := range []struct {
		after     time.Duration
		want      [5]int
		materials int
	}{{0, [5]int{3, 3, 1, 1, 3}, 1}, {7*24*time.Hour - 1, [5]int{3, 3, 1, 1, 3}, 1}, {7 * 24 * time.Hour, [5]int{2, 2, 0, 0, 0}, 2}} {
		now = began.Add(c.after)
		if err := u.Look(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := counts(); got != c.want {
			t.Errorf("after %v: %v, want %v", c.after, got, c.want)
		}
		if n := len(stored(t, st, turning).Materials); n != c.materials {
			t.Errorf("after %v: %d materials, want %d", c.after, n, c.materials)
		}
	}
	if k := stored(t, st, kept); len(k.Materials) != 1 {
		t.Errorf("a key that does not rotate has %d materials", len(k.Materials))
	}
}
