// Package witness remembers what each principal asked for and whether it was let
// through: the facts behind "last used", behind suggested policies and behind what a
// policy on trial would have refused.
//
// Facts gather in memory and go to disk once a second: a kill loses a second of them
// at most. Each server remembers what it decided itself.
package witness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/domain/identity/usage"
	"github.com/berthhq/berth/plane/database"
)

const (
	// mostKinds bounds what is remembered of one principal; beyond it new kinds of
	// resources count as the star.
	mostKinds = 2000
	interval  = time.Second
	// mostPrincipals and mostKeys bound the whole: some 200 MB at the worst.
	mostPrincipals = 5_000
	mostKeys       = 50_000
)

// Sighting is one decision.
type Sighting struct {
	Principal string // ARN of the user or role; the account's root is not remembered
	KeyID     string // access key that signed
	Trial     string // the policy on trial that would have refused; empty for the decision itself
	Action    string
	Resource  string
	Region    string
	Allowed   bool
	At        time.Time
}

// LastUse says when and where a key was used.
type LastUse struct {
	At      time.Time
	Region  string
	Service string
}

// Options of a Witness.
type Options struct {
	Log *slog.Logger
}

// Witness is open. It may be asked and told at the same time.
type Witness struct {
	Options
	db *pebble.DB

	mu         sync.Mutex
	principals map[who]map[what]*usage.Use
	keys       map[string]LastUse
	fresh      map[fact]bool // not on disk yet
}

// who is a principal, or a principal under a trial.
type who struct{ principal, trial string }

type what struct{ action, resource string }

// fact names what is to be written: a use, or with key set an access key's.
type fact struct {
	who
	what
	key string
}

// Open reads what is remembered in dir, which it makes if there is none.
func Open(dir string, o Options) (*Witness, error) {
	db, err := pebble.Open(dir, &pebble.Options{
		CacheSize: 1 << 20, MemTableSize: 1 << 20, MaxOpenFiles: 64, FormatMajorVersion: pebble.FormatNewest,
		CompactionConcurrencyRange: func() (lower, upper int) { return 1, 1 },
		Logger:                     database.Logger{Name: "what principals were seen to do", Log: o.Log},
	})
	if err != nil {
		return nil, fmt.Errorf("open what principals were seen to do in %s: %w", dir, err)
	}
	w := &Witness{
		Options: o, db: db, principals: map[who]map[what]*usage.Use{}, keys: map[string]LastUse{}, fresh: map[fact]bool{},
	}
	if err := w.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("read what principals were seen to do in %s: %w", dir, err), db.Close())
	}
	return w, nil
}

// Close writes what is not on disk yet.
func (w *Witness) Close() error { return errors.Join(w.flush(), w.db.Close()) }

// Run writes what gathers until ctx ends.
func (w *Witness) Run(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := w.flush(); err != nil {
				w.Log.Error("remember what principals did", "error", err)
			}
		}
	}
}

// Saw remembers a decision.
func (w *Witness) Saw(s Sighting) {
	resource := usage.Pattern(s.Resource)
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.Principal != "" {
		w.count(who{s.Principal, s.Trial}, what{s.Action, resource}, s)
	}
	if s.KeyID != "" && s.Trial == "" {
		w.keyed(s)
	}
}

func (w *Witness) count(by who, of what, s Sighting) {
	uses := w.principals[by]
	if uses == nil {
		if len(w.principals) >= mostPrincipals {
			return
		}
		uses = map[what]*usage.Use{}
		w.principals[by] = uses
	}
	u := uses[of]
	if u == nil && len(uses) >= mostKinds {
		of.resource = "*"
		u = uses[of]
	}
	if u == nil {
		u = &usage.Use{Action: of.action, Resource: of.resource}
		uses[of] = u
	}
	u.Add(s.Allowed, s.Region, s.At)
	w.fresh[fact{who: by, what: of}] = true
}

func (w *Witness) keyed(s Sighting) {
	if _, known := w.keys[s.KeyID]; !known && len(w.keys) >= mostKeys {
		return
	}
	u := usage.Use{Action: s.Action}
	w.keys[s.KeyID] = LastUse{At: s.At, Region: s.Region, Service: u.Service()}
	w.fresh[fact{key: s.KeyID}] = true
}

// Uses are what a principal was seen to do, in order; with a trial, what that policy
// would have refused.
func (w *Witness) Uses(principal, trial string) []usage.Use {
	w.mu.Lock()
	defer w.mu.Unlock()
	uses := w.principals[who{principal, trial}]
	out := make([]usage.Use, 0, len(uses))
	for _, u := range uses {
		out = append(out, *u)
	}
	usage.Sort(out)
	return out
}

// KeyUsed tells when an access key was last used.
func (w *Witness) KeyUsed(id string) (LastUse, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, ok := w.keys[id]
	return last, ok
}

// PrincipalUsed tells when a user or role last asked for something.
func (w *Witness) PrincipalUsed(arn string) (last LastUse, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range w.principals[who{principal: arn}] {
		if u.Last.After(last.At) {
			last, ok = LastUse{At: u.Last, Region: u.Region, Service: u.Service()}, true
		}
	}
	return last, ok
}
