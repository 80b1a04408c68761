package berth

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/berthhq/berth/"

// floors numbers the folders; a package imports only from lower floors, or from
// its own tree.
var floors = map[string]int{
	"domain":   0,
	"protocol": 1, "store": 1,
	"plan": 2, "control": 2,
	"aws": 3, "dispatch": 3, "agent": 3, "plane": 3, "console": 3, "client": 3,
	"server": 4, "host": 4, "supervisor": 4,
	"sim": 5, "conformance": 5, "bench": 5, "examples": 5, "tools": 5,
	"cmd": 6,
}

// sideways are the imports within a floor that the design wants: handlers and
// sessions are mouths of the same request pipeline and codec, and a planner may
// build on another.
var sideways = map[string][]string{
	"dispatch": {"aws/wire", "aws/shape", "aws/gateway"},
	"agent":    {"aws/wire", "aws/shape", "client"},
	"plane":    {"aws/wire", "aws/gateway", "client", "agent/network/space", "agent/network/ruleset"}, // an edge works in namespaces that agents make
	"client":   {"aws/wire", "aws/shape"},
	"control":  {"plan"},
	"aws":      {"dispatch", "plane/access"},
	"bench":    {"conformance/images"},
}

// forbidden names what a tree must not reach whatever its floor, and why.
var forbidden = map[string][]string{
	"agent":      {"store", "plan", "control", "aws/api", "aws/gateway", "server"}, // the agent knows the control plane by its protocol only
	"plane/edge": {"store", "plan", "control", "aws", "server"},                    // and so does the edge
}

type source struct {
	path, dir string
	file      *ast.File
	test      bool
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		out = append(out, source{path, filepath.Dir(path), f, strings.HasSuffix(path, "_test.go")})
		return nil
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("read the house: %v (%d files)", err, len(out))
	}
	return out
}

func tree(dir string) string { return strings.SplitN(filepath.ToSlash(dir), "/", 2)[0] }

func under(pkg string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") })
}

func TestImportsGoDownTheFloors(t *testing.T) {
	for _, s := range sources(t) {
		from := tree(s.dir)
		if s.test || from == "." {
			continue
		}
		if _, known := floors[from]; !known {
			t.Errorf("%s: %s/ is on no floor", s.path, from)
		}
		for _, imp := range s.file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			pkg, ours := strings.CutPrefix(path, module)
			if !ours {
				if from == "domain" && strings.Contains(path, ".") {
					t.Errorf("%s imports %s: domain/ uses the standard library only", s.path, path)
				}
				continue
			}
			to := tree(pkg)
			for who, what := range forbidden {
				if under(filepath.ToSlash(s.dir), []string{who}) && under(pkg, what) {
					t.Errorf("%s imports %s, which %s/ must not know", s.path, pkg, who)
				}
			}
			if to != from && floors[to] >= floors[from] && !under(pkg, sideways[from]) {
				t.Errorf("%s imports %s, which is not below it", s.path, pkg)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		said[s.dir] = said[s.dir] || s.file.Doc != nil && len(s.file.Doc.Text()) > 20
	}
	for dir, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

func TestNothingHappensAtImport(t *testing.T) {
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function", s.path)
			}
		}
	}
}

// TestNoHiddenState refuses package-level locks, channels and made maps: state
// has an owner.
func TestNoHiddenState(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			ast.Inspect(g, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncLit:
					return false
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && (x.Name == "sync" && n.Sel.Name != "OnceValue" && n.Sel.Name != "OnceValues" && n.Sel.Name != "Pool" || x.Name == "atomic") {
						t.Errorf("%s keeps %s.%s at package level", s.path, x.Name, n.Sel.Name)
					}
				case *ast.ChanType:
					t.Errorf("%s keeps a channel at package level", s.path)
				}
				return true
			})
		}
	}
}

func TestGroundAndJudgementHaveNoClock(t *testing.T) {
	for _, s := range sources(t) {
		if from := tree(s.dir); s.test || from != "domain" && from != "plan" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "NewTimer", "NewTicker"}, n.Sel.Name) {
					t.Errorf("%s reads the clock (time.%s)", s.path, n.Sel.Name)
				}
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine", s.path)
			}
			return true
		})
	}
}

func TestServerHoldsNoServiceClient(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-tags", "no_btrfs,no_zfs,no_devmapper,no_cri,no_tracing", "./cmd/berth")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list what the binary is made of: %v", err)
	}
	for dep := range strings.Lines(string(out)) {
		if strings.HasPrefix(dep, "github.com/aws/aws-sdk-go-v2/service/") || strings.HasPrefix(dep, "github.com/aws/aws-sdk-go/service/") {
			t.Errorf("the binary carries %s", strings.TrimSpace(dep))
		}
	}
}

// TestTestsDoNotSleep allows what only looks like sleep: in a synctest bubble time
// stands still until everybody waits.
func TestTestsDoNotSleep(t *testing.T) {
	for _, s := range sources(t) {
		bubbles := slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing/synctest"` })
		if !s.test || bubbles {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" {
					t.Errorf("%s sleeps", s.path)
				}
			}
			return true
		})
	}
}
