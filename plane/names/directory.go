package names

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/berthhq/berth/domain/discovery"
)

// Directory holds the zones of a machine. They are on disk, so that names are known
// while the control plane is away.
type Directory struct {
	path string

	mu    sync.RWMutex
	zones map[string]*index // by VPC; the machine's own under ""
}

// index finds names in a zone.
type index struct {
	zone  discovery.Zone
	names map[string]*discovery.Name
	above map[string]bool // names that have others below them
}

// OpenDirectory opens the directory that is kept in the file at path, which need not
// be there yet.
func OpenDirectory(path string) (*Directory, error) {
	d := &Directory{path: path, zones: map[string]*index{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	var zones []discovery.Zone
	if json.Unmarshal(text, &zones) == nil { // else it is told anew
		d.learn(zones, true)
	}
	return d, nil
}

// Learn takes zones in place of those of the same VPCs; complete means that no others
// are needed. They are in force when Learn returns, an error notwithstanding: that
// says that they are not on disk.
func (d *Directory) Learn(zones []discovery.Zone, complete bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.learn(zones, complete)
	all := []discovery.Zone{}
	for _, i := range d.zones {
		all = append(all, i.zone)
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return write(d.path, text)
}

func (d *Directory) learn(zones []discovery.Zone, complete bool) {
	if complete {
		clear(d.zones)
	}
	for _, z := range zones {
		d.zones[z.VPCID] = newIndex(z)
	}
}

func newIndex(z discovery.Zone) *index {
	i := &index{zone: z, names: map[string]*discovery.Name{}, above: map[string]bool{}}
	for n := range z.Names {
		name := z.Names[n].Name
		i.names[name] = &z.Names[n]
		for _, rest, ok := strings.Cut(name, "."); ok; _, rest, ok = strings.Cut(rest, ".") {
			i.above[rest] = true
		}
	}
	return i
}

// write replaces a file at once.
func write(path string, text []byte) error {
	part := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
	if err := os.WriteFile(part, text, 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// Of is the Lookup of a VPC's names; of an empty VPC's the machine's own.
func (d *Directory) Of(vpc string) func(name string) Found {
	return func(name string) Found {
		d.mu.RLock()
		i := d.zones[vpc]
		d.mu.RUnlock()
		if i == nil {
			return Found{}
		}
		return i.find(name)
	}
}

func (i *index) find(name string) Found {
	f := Found{Name: i.names[name], Domain: i.domain(name)}
	f.Exists = f.Name != nil || f.Domain != nil && (i.above[name] || f.Domain.Name == name)
	return f
}

// domain is the innermost closed domain that a name is in; nil for none.
func (i *index) domain(name string) (found *discovery.Domain) {
	for n := range i.zone.Closed {
		d := &i.zone.Closed[n]
		if (name == d.Name || strings.HasSuffix(name, "."+d.Name)) && (found == nil || len(d.Name) > len(found.Name)) {
			found = d
		}
	}
	return found
}

// Names are those of a VPC's zone, or of the machine's own; not to be changed.
func (d *Directory) Names(vpc string) []discovery.Name {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if i := d.zones[vpc]; i != nil {
		return i.zone.Names
	}
	return nil
}
