package runtime_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
)

// BenchmarkStart measures Create to the program's end, and apart from it the parts
// that a task waits for. The shim is the one that BERTH_SHIM names; else this test
// program itself, which is larger and slower.
func BenchmarkStart(b *testing.B) {
	for _, c := range []struct {
		name      string
		isolation runtime.Isolation
		open      func(testing.TB) *runtime.Runtime
	}{
		{"runc", runtime.Namespaces, runtimetest.Open},
		{"gvisor", runtime.GVisor, runtimetest.OpenGVisor},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := c.open(b)
			image := runtimetest.Busybox(b, r)
			var create, start, first time.Duration
			n := 0
			for b.Loop() {
				id := fmt.Sprintf("c%d", n)
				n++
				out := b.TempDir() + "/" + id
				begun := time.Now()
				spec := runtime.Container{ID: id, Image: image, Args: []string{"/bin/true"}, Isolation: c.isolation, Output: runtime.Output{File: out}}
				must(b, r.Create(b.Context(), spec))
				created := time.Now()
				must(b, r.Start(b.Context(), id))
				started := time.Now()
				_, err := r.Wait(b.Context(), id)
				must(b, err)
				create, start, first = create+created.Sub(begun), start+started.Sub(created), first+started.Sub(begun)
				b.StopTimer()
				must(b, r.Delete(b.Context(), id))
				b.StartTimer()
			}
			report := func(what string, d time.Duration) {
				b.ReportMetric(float64(d.Microseconds())/1000/float64(n), what)
			}
			report("create-ms", create)
			report("start-ms", start)
			report("total-ms", first)
		})
	}
}

// BenchmarkOCIAlone is the floor: the OCI runtime without berth.
func BenchmarkOCIAlone(b *testing.B) {
	runtimetest.Need(b)
	dir := b.TempDir()
	must(b, os.MkdirAll(dir+"/rootfs/bin", 0o755))
	program, err := os.ReadFile("/bin/busybox")
	must(b, err)
	must(b, os.WriteFile(dir+"/rootfs/bin/true", program, 0o755))
	cmd := exec.Command("runc", "spec")
	cmd.Dir = dir
	must(b, cmd.Run())
	spec, err := os.ReadFile(dir + "/config.json")
	must(b, err)
	text := strings.Replace(strings.Replace(string(spec), `"terminal": true`, `"terminal": false`, 1), `"sh"`, `"/bin/true"`, 1)
	must(b, os.WriteFile(dir+"/config.json", []byte(text), 0o644))
	for n := 0; b.Loop(); n++ {
		cmd := exec.Command("runc", "run", "bench-"+strconv.Itoa(os.Getpid())+"-"+strconv.Itoa(n))
		cmd.Dir = dir
		must(b, cmd.Run())
	}
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
