package store

import (
	"math"
	"slices"

	"github.com/tidwall/btree"
)

// degree of the trees: each change copies the nodes on its path, so that small
// nodes make cheap changes and large ones dense, fast scans.
const degree = 16

const (
	minRank = math.MinInt64
	maxRank = math.MaxInt64
	maxKey  = "\xff" // no primary key begins with a byte that UTF-8 never has
)

// trees is one table: records by primary key, and an ordered set for each index.
// Copies share what neither has changed since.
type trees struct {
	rows    *btree.Map[string, any]
	indexes []*btree.BTreeG[entry]
}

// entry places a record in an index.
type entry struct {
	index string
	rank  int64
	key   string
}

func less(a, b entry) bool {
	if a.index != b.index {
		return a.index < b.index
	}
	if a.rank != b.rank {
		return a.rank < b.rank
	}
	return a.key < b.key
}

func newTrees(d Descriptor) *trees {
	t := &trees{rows: btree.NewMap[string, any](degree)}
	for range d.indexCount() {
		t.indexes = append(t.indexes, btree.NewBTreeGOptions(less, btree.Options{Degree: degree, NoLocks: true}))
	}
	return t
}

func (t *trees) copy() *trees {
	c := &trees{rows: t.rows.Copy(), indexes: make([]*btree.BTreeG[entry], len(t.indexes))}
	for i, ix := range t.indexes {
		c.indexes[i] = ix.Copy()
	}
	return c
}

// set stores record under key, or removes it when record is nil, and returns what
// was there. Index entries that stay the same are not touched.
func (t *trees) set(d Descriptor, key string, record any) (old any) {
	if record == nil {
		old, _ = t.rows.Delete(key)
	} else {
		old, _ = t.rows.Set(key, record)
	}
	var room [2][4]entry
	for i, ix := range t.indexes {
		was, is := room[0][:0], room[1][:0]
		if old != nil {
			was = d.entries(i, old, was)
		}
		if record != nil {
			is = d.entries(i, record, is)
		}
		for _, e := range was {
			if !slices.Contains(is, e) {
				ix.Delete(e)
			}
		}
		for _, e := range is {
			if !slices.Contains(was, e) {
				ix.Set(e)
			}
		}
	}
	return old
}

// head is the newest state, the only one that changes; the writer lock guards it.
type head struct {
	tables []*trees
	frozen []*trees // copies since which nothing changed; nil where something did
}

func newHead(tables []Descriptor) *head {
	h := &head{frozen: make([]*trees, len(tables))}
	for _, d := range tables {
		h.tables = append(h.tables, newTrees(d))
	}
	return h
}

func (h *head) set(d Descriptor, key string, record any) (old any) {
	h.frozen[d.id()] = nil
	return h.tables[d.id()].set(d, key, record)
}

// freeze is the table as it is now, for good.
func (h *head) freeze(id tableID) *trees {
	if h.frozen[id] == nil {
		h.frozen[id] = h.tables[id].copy()
	}
	return h.frozen[id]
}

func (h *head) snapshot() []*trees {
	for id := range h.tables {
		h.freeze(tableID(id))
	}
	return slices.Clone(h.frozen)
}
