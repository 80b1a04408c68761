package sim_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/berthhq/berth/sim"
)

var update = flag.Bool("update", false, "write the transcripts of the scripts anew")

// TestScripts plays each script of testdata: what happens is what is written there.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts:", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := sim.Play(string(script))
			if err != nil {
				t.Errorf("%v\n%s", err, got)
				return
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(script) {
				t.Errorf("it went otherwise; look at it, and if it is right run go test ./sim -run TestScripts -update:\n%s", got)
			}
		})
	}
}
