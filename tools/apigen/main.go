// Command apigen turns AWS's API models, as botocore ships them, into the Go
// shapes of aws/shape: small structs with tags and one operation table for each
// service.
//
// What it emits is kept to the operations listed in ops/<service>.txt and to the
// shapes reachable from them. newer/<service>.json, in the form of the models,
// adds what AWS offers and the models at hand do not describe yet.
//
//	go run ./tools/apigen -models .../botocore/data
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	models := flag.String("models", "", "botocore's data directory")
	lists := flag.String("lists", "tools/apigen", "directory with ops/ and newer/")
	out := flag.String("out", "aws/shape", "directory of the generated packages")
	flag.Parse()
	if *models == "" {
		fmt.Fprintln(os.Stderr, "apigen: -models is required: the data directory of a botocore installation")
		os.Exit(2)
	}
	if err := generateAll(*models, *lists, *out); err != nil {
		fmt.Fprintln(os.Stderr, "apigen:", err)
		os.Exit(1)
	}
}

// generateAll writes the package of every service that has an operation list.
func generateAll(models, lists, out string) error {
	files, err := filepath.Glob(filepath.Join(lists, "ops", "*.txt"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no operation lists in %s/ops: %w", lists, err)
	}
	for _, file := range files {
		service := strings.TrimSuffix(filepath.Base(file), ".txt")
		sources, err := generate(models, lists, service)
		if err != nil {
			return fmt.Errorf("%s: %w", service, err)
		}
		if err := write(filepath.Join(out, packageName(service)), sources); err != nil {
			return fmt.Errorf("%s: %w", service, err)
		}
	}
	return nil
}

// generate makes the sources of one service's package, by file name.
func generate(models, lists, service string) (map[string][]byte, error) {
	ops, err := readOperations(filepath.Join(lists, "ops", service+".txt"))
	if err != nil {
		return nil, err
	}
	m, err := readModel(models, service)
	if err != nil {
		return nil, err
	}
	if err := m.extend(filepath.Join(lists, "newer", service+".json")); err != nil {
		return nil, err
	}
	g, err := newGenerator(service, m, ops)
	if err != nil {
		return nil, err
	}
	return g.sources()
}

// write replaces the generated files of a package.
func write(dir string, sources map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*_gen.go"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for name, source := range sources {
		if err := os.WriteFile(filepath.Join(dir, name), source, 0o644); err != nil {
			return err
		}
	}
	return nil
}
