package store

// Descriptor is a Table without its type, as a Journal needs it.
type Descriptor interface {
	Name() string  // on disk
	Version() byte // of the schema that is written
	New() any      // an empty record to decode into
	// Old reads a record of an older schema; ok is false when the decoder is to
	// read it like one of today.
	Old(schema byte, data []byte) (record any, ok bool, err error)
	// KeyOf is the primary key of a record of this table.
	KeyOf(record any) string

	id() tableID
	indexCount() int
	entries(index int, record any, to []entry) []entry
}

// Name is the noun.
func (t *Table[T]) Name() string { return t.Noun }

// Version is the schema that is written today.
func (t *Table[T]) Version() byte { return t.Schema }

// New makes an empty record.
func (t *Table[T]) New() any { return new(T) }

// Old applies Upgrade.
func (t *Table[T]) Old(schema byte, data []byte) (record any, ok bool, err error) {
	if t.Upgrade == nil {
		return nil, false, nil
	}
	r, err := t.Upgrade(schema, data)
	return r, true, err
}

// KeyOf is the primary key of a record of the table.
func (t *Table[T]) KeyOf(record any) string { return t.Primary(record.(*T)) }

func (t *Table[T]) id() tableID     { return t.ID }
func (t *Table[T]) indexCount() int { return len(t.Indexes) }

func (t *Table[T]) entries(index int, record any, to []entry) []entry {
	ix, r := t.Indexes[index], record.(*T)
	rank := int64(0)
	if ix.Rank != nil {
		rank = ix.Rank(r)
	}
	primary := t.Primary(r)
	if ix.Key != nil {
		if key := ix.Key(r); key != "" {
			to = append(to, entry{index: key, rank: rank, key: primary})
		}
		return to
	}
	for _, key := range ix.Keys(r) {
		if key != "" {
			to = append(to, entry{index: key, rank: rank, key: primary})
		}
	}
	return to
}
