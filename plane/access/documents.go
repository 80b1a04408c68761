package access

import (
	"sync"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity/policy"
)

// mostDocuments bounds what is remembered: at AWS's limits of size some 60 MB.
const mostDocuments = 8192

// text is a document as it is stored.
type text struct {
	json string
	use  policy.Use
}

// documents remembers what was read, by its text: a record never changes, and
// another text is another document.
type documents struct {
	mu    *sync.RWMutex
	known map[text]*policy.Document
}

func newDocuments() documents {
	return documents{mu: &sync.RWMutex{}, known: map[text]*policy.Document{}}
}

func (d *documents) read(json string, use policy.Use) (*policy.Document, error) {
	key := text{json, use}
	d.mu.RLock()
	document := d.known[key]
	d.mu.RUnlock()
	if document != nil {
		return document, nil
	}
	document, err := policy.Parse(json, use)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) >= mostDocuments {
		clear(d.known) // what is in use comes back by itself
	}
	d.known[key] = document
	return document, nil
}

// identity reads a policy of a user, group, role or session.
func (d *documents) identity(json string) (*policy.Document, error) {
	return d.read(json, policy.Identity)
}

// unreadable refuses everything to whom a policy applies that cannot be read: it
// might deny.
func unreadable(holder string, err error) error {
	return fault.New(fault.AccessDenied, "A policy of %s cannot be read.", holder).Because(err).WithHint("put the policy again: %v", err)
}
