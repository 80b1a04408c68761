// Package ruleset writes packet filter tables: nftables in sentences.
//
// A Table belongs to its owner alone and is described whole by one function. It
// changes in single transactions; when a change does not fit what the kernel has,
// because somebody flushed it, the whole is written again.
package ruleset

import (
	"errors"
	"fmt"
	"os"

	"github.com/google/nftables"

	"github.com/berthhq/berth/agent/network/space"
)

// Table is one table in one namespace, for IPv4 unless opened by Open6. Its methods are not safe for
// concurrent use: the owner's lock guards them together with what whole reads.
type Table struct {
	name  string
	kind  nftables.TableFamily
	conn  *nftables.Conn
	whole func(*Draft)
	rules map[string]int // rules by chain, as they should be
	elems map[string]int // elements by set, as they should be; interval sets left out
}

// Open prepares the table of the name in the namespace. Nothing is written before
// the first Replace. whole describes the table's full content at any time.
func Open(s *space.Space, name string, whole func(*Draft)) (*Table, error) {
	return open(s, name, nftables.TableFamilyIPv4, whole)
}

// Open6 is Open for a table that sees IPv6 packets.
func Open6(s *space.Space, name string, whole func(*Draft)) (*Table, error) {
	return open(s, name, nftables.TableFamilyIPv6, whole)
}

func open(s *space.Space, name string, kind nftables.TableFamily, whole func(*Draft)) (*Table, error) {
	conn, err := nftables.New(nftables.AsLasting(), nftables.WithNetNSFd(s.FD()))
	if err != nil {
		return nil, fmt.Errorf("open packet filter: %w", err)
	}
	return &Table{name: name, kind: kind, conn: conn, whole: whole}, nil
}

// Name is the table's name.
func (t *Table) Name() string { return t.name }

// Close ends the connection to the kernel. The table stays.
func (t *Table) Close() error { return t.conn.CloseLasting() }

func (t *Table) draft() *Draft {
	return &Draft{
		conn:  t.conn,
		table: &nftables.Table{Name: t.name, Family: t.kind},
		rules: map[string]int{},
		elems: map[string]int{},
	}
}

// Replace writes the whole table in one transaction; packets meet the old one or
// the new one, never none.
func (t *Table) Replace() error {
	d := t.draft()
	d.conn.AddTable(d.table) // so that the deletion cannot fail
	d.conn.DelTable(d.table)
	d.conn.AddTable(d.table)
	t.whole(d)
	if err := d.commit(); err != nil {
		return fmt.Errorf("write packet filter table %s: %w", t.name, err)
	}
	t.rules, t.elems = d.rules, d.elems
	return nil
}

// Change makes a small change in one transaction. What whole describes must
// already include it. If the kernel refuses the change the table is replaced.
func (t *Table) Change(change func(*Draft)) error {
	d := t.draft()
	change(d)
	if err := d.commit(); err != nil {
		return t.Replace()
	}
	for _, chain := range d.cleared {
		t.rules[chain] = 0
	}
	for chain, n := range d.rules {
		t.rules[chain] += n
	}
	for set, n := range d.elems {
		t.elems[set] += n
	}
	for _, chain := range d.dropped {
		delete(t.rules, chain)
	}
	return nil
}

// Delete removes the table. One that is not there is no error.
func (t *Table) Delete() error {
	d := t.draft()
	d.conn.AddTable(d.table)
	d.conn.DelTable(d.table)
	return d.commit()
}

// Intact tells whether the kernel still has every chain, rule and set element.
func (t *Table) Intact() bool {
	d := t.draft()
	for chain, want := range t.rules {
		have, err := t.conn.GetRules(d.table, &nftables.Chain{Name: chain, Table: d.table})
		if err != nil || len(have) != want {
			return false
		}
	}
	for set, want := range t.elems {
		have, err := t.conn.GetSetElements(&nftables.Set{Name: set, Table: d.table})
		if errors.Is(err, os.ErrNotExist) || err == nil && len(have) != want {
			return false
		}
	}
	return true
}
