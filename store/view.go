package store

// Revision numbers durable states. It rises with every batch of changes and
// across restarts.
type Revision int64

// View is the whole state at one revision. It never changes.
type View struct {
	revision Revision
	tables   []*trees
}

// Revision of the state.
func (v *View) Revision() Revision { return v.revision }

func (v *View) now(id tableID) *trees { return v.tables[id] }
func (v *View) at(id tableID) *trees  { return v.tables[id] }
