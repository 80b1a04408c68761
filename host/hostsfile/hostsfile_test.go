package hostsfile_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/host/hostsfile"
)

const before = "127.0.0.1\tlocalhost\n# berth is mentioned\n::1 ip6-localhost"

func check(t interface{ Fatal(...any) }, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "hosts")
	check(t, os.WriteFile(path, []byte(text), 0o604))
	check(t, os.Chmod(path, 0o604))
	return path
}

func read(t interface{ Fatal(...any) }, path string) string {
	text, err := os.ReadFile(path)
	check(t, err)
	return string(text)
}

func named(names ...string) (list []discovery.Name) {
	for i, name := range names {
		list = append(list, discovery.Name{Name: name, Generated: true, Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})}})
	}
	return list
}

func TestBlocksComeChangeAndGo(t *testing.T) {
	path := write(t, before)
	one, two := hostsfile.Block{Path: path, Owner: "/data/one of # them"}, hostsfile.Block{Path: path, Owner: "/data/two"}
	info, err := os.Stat(path)
	check(t, err)
	check(t, one.Write(append(named("web-1.elb.example", "api-1.elb.example"),
		discovery.Name{Name: "google.com", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.9")}},
		discovery.Name{Name: "evil\n10.0.0.1 google.com", Generated: true, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.9")}},
		discovery.Name{Name: "localhost", Generated: true, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.9")}})))
	check(t, two.Write(named("x.elb.example")))
	check(t, one.Write(named("web-2.elb.example")))
	want := before + "\n" +
		"# Load balancers. berth writes these lines and removes them. # berth /data/one of # them\n10.0.0.0\tweb-2.elb.example # berth /data/one of # them\n" +
		"# Load balancers. berth writes these lines and removes them. # berth /data/two\n10.0.0.0\tx.elb.example # berth /data/two\n"
	if got := read(t, path); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	check(t, hostsfile.Sweep(path, func(owner string) bool { return owner == "/data/two" }))
	if got := read(t, path); strings.Contains(got, "web-2") || !strings.Contains(got, "x.elb") {
		t.Errorf("swept: %s", got)
	}
	check(t, two.Remove())
	if got := read(t, path); got != before+"\n" {
		t.Errorf("removed: %q", got)
	}
	now, err := os.Stat(path)
	check(t, err)
	if !os.SameFile(info, now) || now.Mode() != info.Mode() {
		t.Errorf("the file was %v and is %v", info.Mode(), now.Mode())
	}
	if err := (hostsfile.Block{Path: path, Owner: "/a\n/b"}).Write(named("x.y")); err == nil {
		t.Error("an owner of two lines was taken")
	}
}

func TestManyBerthsShareAFile(t *testing.T) {
	path := write(t, before)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			b := hostsfile.Block{Path: path, Owner: fmt.Sprint("/data/", n)}
			for i := range 50 {
				if err := b.Write(named(fmt.Sprintf("n%d-%d.elb.example", n, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got := read(t, path)
	if !strings.HasPrefix(got, before) || strings.Count(got, "\n") != 2+16+1 {
		t.Errorf("got\n%s", got)
	}
	for n := range 8 {
		if !strings.Contains(got, fmt.Sprintf("n%d-49.elb.example # berth /data/%d\n", n, n)) {
			t.Errorf("the last of %d is missing", n)
		}
	}
}

// Whatever a file holds: what is not ours stays, byte by byte.
func TestTheRestStays(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([ -~]{0,20}(\r?\n)?){0,6}`).Draw(t, "text")
		if strings.Contains(text, " # berth ") {
			t.Skip()
		}
		path := filepath.Join(dir, "hosts")
		check(t, os.WriteFile(path, []byte(text), 0o600))
		b := hostsfile.Block{Path: path, Owner: "/d"}
		check(t, b.Write(named("a.b")))
		check(t, b.Remove())
		if got := read(t, path); got != text && got != text+"\n" {
			t.Fatalf("%q became %q", text, got)
		}
	})
}
