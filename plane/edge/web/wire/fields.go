package wire

import "strings"

// Field is a header field: its name as it was sent, and its value without the white
// space around it.
type Field struct{ Name, Value string }

// Is tells whether the field has the name, in any case.
func (f *Field) Is(name string) bool {
	return len(f.Name) == len(name) && strings.EqualFold(f.Name, name)
}

// Fields are header fields in the order in which they were sent. Names are found in any
// case.
type Fields []Field

// Get is the value of the first field of the name; empty for none.
func (fs Fields) Get(name string) string {
	for n := range fs {
		if fs[n].Is(name) {
			return fs[n].Value
		}
	}
	return ""
}

// Has tells whether there is a field of the name.
func (fs Fields) Has(name string) bool {
	for n := range fs {
		if fs[n].Is(name) {
			return true
		}
	}
	return false
}

// Values are those of all fields of the name.
func (fs Fields) Values(name string) (all []string) {
	for n := range fs {
		if fs[n].Is(name) {
			all = append(all, fs[n].Value)
		}
	}
	return all
}

// Add adds a field at the end.
func (fs *Fields) Add(name, value string) { *fs = append(*fs, Field{name, value}) }

// Set has the name once, with the value.
func (fs *Fields) Set(name, value string) {
	fs.Del(name)
	fs.Add(name, value)
}

// Del removes all fields of the name.
func (fs *Fields) Del(name string) { fs.DelFunc(func(f *Field) bool { return f.Is(name) }) }

// DelFunc removes the fields that gone tells.
func (fs *Fields) DelFunc(gone func(*Field) bool) {
	kept := (*fs)[:0]
	for n := range *fs {
		if f := &(*fs)[n]; !gone(f) {
			kept = append(kept, *f)
		}
	}
	clear((*fs)[len(kept):])
	*fs = kept
}

// Append appends the fields as they are on a connection, without the line that ends them.
func (fs Fields) Append(to []byte) []byte {
	for n := range fs {
		to = append(to, fs[n].Name...)
		to = append(to, ": "...)
		to = append(to, fs[n].Value...)
		to = append(to, "\r\n"...)
	}
	return to
}

// Names tells whether one of the fields that are called list, which hold words between
// commas, has the word in any case.
func (fs Fields) Names(list, word string) bool {
	for n := range fs {
		if fs[n].Is(list) && named(fs[n].Value, word) {
			return true
		}
	}
	return false
}

func named(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(trim(w), word) {
			return true
		}
	}
	return false
}

// trim removes the white space that may be around a value.
func trim(s string) string {
	for len(s) > 0 && blank(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && blank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// Any tells whether a field is such.
func (fs Fields) Any(such func(*Field) bool) bool {
	for n := range fs {
		if such(&fs[n]) {
			return true
		}
	}
	return false
}
