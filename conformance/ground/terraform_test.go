package ground_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthhq/berth/conformance/terraform"
)

// TestTerraformsSecondPlanIsEmpty applies each stack of testdata, plans again, changes
// it, plans again and destroys it.
func TestTerraformsSecondPlanIsEmpty(t *testing.T) {
	files, err := filepath.Glob("testdata/*.tf")
	if err != nil || len(files) == 0 {
		t.Fatalf("stacks: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".tf"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := terraform.New(t, open(t).Server, string(text))
			s.Settle()
			s.Settle("later=true")
			s.Destroy()
		})
	}
}
