package store

import "reflect"

// difference lists what leads from one view to another, for watchers that live
// through a recovery. Records read back are new pointers, so they are compared
// by what they hold.
func difference(tables []Descriptor, from, to *View) []*Change {
	var out []*Change
	for _, d := range tables {
		was, is := from.tables[d.id()].rows, to.tables[d.id()].rows
		was.Scan(func(key string, old any) bool {
			next, _ := is.Get(key)
			if next == nil || !reflect.DeepEqual(old, next) {
				out = append(out, &Change{Table: d, Key: key, Old: old, New: next})
			}
			return true
		})
		is.Scan(func(key string, next any) bool {
			if _, ok := was.Get(key); !ok {
				out = append(out, &Change{Table: d, Key: key, New: next})
			}
			return true
		})
	}
	return out
}
