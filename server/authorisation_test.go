package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestEveryServiceIsAuthorisedInATest lists the services whose operations no test
// tries with and without what they need. gatewaytest.Authorisation sees to it that a
// test of a service leaves out none of its operations.
func TestEveryServiceIsAuthorisedInATest(t *testing.T) {
	tried := map[string]bool{}
	files, err := filepath.Glob("../aws/api/*/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, shape := range authorisedIn(f) {
			tried[shape] = true
		}
	}
	for _, offer := range Coverage() {
		shape := strings.ReplaceAll(offer.Service.Name, "-", "")
		if len(offer.Handlers) > 0 && !tried[shape] {
			t.Errorf("no test tries the %d operations of %s with and without what they need", len(offer.Handlers), offer.Service.Name)
		}
	}
}

// authorisedIn are the packages of shapes whose API a file gives to
// gatewaytest.Authorisation.
func authorisedIn(f *ast.File) []string {
	packages := map[string]string{} // by the name they have in the file
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		shape, ok := strings.CutPrefix(path, "github.com/berthhq/berth/aws/shape/")
		if !ok {
			continue
		}
		name := shape
		if i.Name != nil {
			name = i.Name.Name
		}
		packages[name] = shape
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 3 || selector(call.Fun) != "gatewaytest.Authorisation" {
			return true
		}
		name, _, _ := strings.Cut(selector(call.Args[2]), ".")
		out = append(out, packages[name])
		return true
	})
	return out
}

func selector(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + s.Sel.Name
}
