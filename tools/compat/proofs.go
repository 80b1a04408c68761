package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// says is how a test's comment names the capabilities it proves.
var says = regexp.MustCompile(`Proves ([^.\s,]+(?:\.[^.\s,]+)?(?:,\s+[^.\s,]+(?:\.[^.\s,]+)?)*)\.(?:\s|$)`)

// proofs finds the tests below conformance/ by the capability they say they prove.
func proofs(root string) (map[string][]string, error) {
	out := map[string][]string{}
	err := filepath.WalkDir(filepath.Join(root, "conformance"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Doc == nil {
				continue
			}
			for _, id := range proven(f.Doc.Text()) {
				out[id] = append(out[id], "`"+filepath.ToSlash(folder)+"` "+f.Name.Name)
			}
		}
		return nil
	})
	for _, tests := range out {
		slices.Sort(tests)
	}
	return out, err
}

// proven lists the ids that a comment names.
func proven(comment string) []string {
	var out []string
	for _, m := range says.FindAllStringSubmatch(comment, -1) {
		for id := range strings.SplitSeq(m[1], ",") {
			out = append(out, strings.TrimSpace(id))
		}
	}
	return out
}
