package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// modelsVersion is the botocore release whose models the shapes were made of.
const modelsVersion = "1.43.11"

// botocore finds the models that python3 would use, if they are of the version.
func botocore(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "python3", "-c", "import botocore; print(botocore.__version__); print(botocore.__path__[0])").Output()
	if err != nil {
		t.Skipf("skipped: drift is checked where python3 has botocore %s, and here it has none: %v", modelsVersion, err)
	}
	version, path, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if version != modelsVersion {
		t.Skipf("skipped: drift is checked against botocore %s, and here is %s", modelsVersion, version)
	}
	return filepath.Join(path, "data")
}

func TestShapesAreWhatTheModelsSay(t *testing.T) {
	models := botocore(t)
	lists, err := filepath.Glob("ops/*.txt")
	if err != nil || len(lists) == 0 {
		t.Fatalf("no operation lists: %v", err)
	}
	for _, list := range lists {
		service := strings.TrimSuffix(filepath.Base(list), ".txt")
		want, err := generate(models, ".", service)
		if err != nil {
			t.Errorf("%s: %v", service, err)
			continue
		}
		dir := filepath.Join("..", "..", "aws", "shape", packageName(service))
		have, err := filepath.Glob(filepath.Join(dir, "*_gen.go"))
		if err != nil || len(have) != len(want) {
			t.Errorf("%s: %d files, the models make %d (%v)", service, len(have), len(want), err)
		}
		for name, source := range want {
			got, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || !bytes.Equal(got, source) {
				t.Errorf("%s/%s is not what the models make (%v): run go run ./tools/apigen -models %s", service, name, err, models)
			}
		}
	}
}

func TestAnUnknownOperationIsRefused(t *testing.T) {
	m := &model{Operations: map[string]*operation{}, Shapes: map[string]*shape{}}
	if _, err := newGenerator("ecs", m, []wanted{{name: "Nothing"}}); err == nil {
		t.Error("an operation that is not in the model was generated")
	}
}
