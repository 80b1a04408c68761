package store

// Event is one record's durable change. Read it with the table's Of.
type Event struct {
	Table    Descriptor
	Key      string
	Old, New any // pointers to records; nil before a creation, after a deletion
}

// Topic is a set of events one can watch: a table's, or those of one index key.
type Topic struct {
	table tableID
	index int
	key   string
}

// wholeTable stands for no index in a Topic.
const wholeTable = -1

// Delta is what changed: Events lead from the last view of a watcher to View,
// as far as its topics go.
type Delta struct {
	View   *View
	Events []Event
}

// TopicOf is every change of a table whose type one does not know.
func TopicOf(d Descriptor) Topic { return Topic{table: d.id(), index: wholeTable} }
