package ecs_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what was answered into testdata; commit only differences that you understand")

const divider = "\n----\n"

// Each file of testdata/echo registers a definition around one field, and holds
// the definition as it is described afterwards: what a second plan is compared
// with. The parts that every answer has are left out of the files but for one.
func TestEcho(t *testing.T) {
	files, err := filepath.Glob("testdata/echo/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			request, want, _ := strings.Cut(string(data), divider)
			s := start(t)
			s.do("RegisterTaskDefinition", "%s", request)
			got := describedAs(s, strings.HasSuffix(file, "minimal.txt"))
			if *rewrite {
				if err := os.WriteFile(file, []byte(strings.TrimSpace(request)+divider+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func describedAs(s *server, whole bool) string {
	d := s.do("DescribeTaskDefinition", `{"taskDefinition": "web"}`).object["taskDefinition"].(object)
	delete(d, "registeredAt")
	if !whole {
		for _, same := range []string{"taskDefinitionArn", "family", "revision", "status", "registeredBy"} {
			delete(d, same)
		}
	}
	return indented(d) + "\n"
}
