package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/protocol/keyfile"
)

// Paths of the control plane; dispatch/edges serves them.
const (
	snapshotPath = "/_berth/edge/snapshot"
	reportPath   = "/_berth/edge/report"
	countsPath   = "/_berth/edge/counts"
	linesPath    = "/_berth/edge/lines"
)

const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

func (e *Edge) snapshotFile() string { return filepath.Join(e.Data, "snapshot.json") }

// remembered is the snapshot that was last in force; an empty one at first.
func (e *Edge) remembered() *balancer.Snapshot {
	s := &balancer.Snapshot{}
	text, err := keyfile.Read(e.snapshotFile()) // it has the keys of certificates
	if os.IsNotExist(err) {
		return s
	}
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	if err != nil {
		e.Log.Warn("the last snapshot cannot be read; the control plane has it", "err", err)
		return &balancer.Snapshot{}
	}
	return s
}

func (e *Edge) remember(s *balancer.Snapshot) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return keyfile.Replace(e.snapshotFile(), text)
}

// poll asks for the next snapshot until ctx ends. At first any will do: the store may
// be another than the one ours was made from.
func (e *Edge) poll(ctx context.Context) {
	api := client.New(e.Place)
	after, pause := int64(-1), firstPause
	for ctx.Err() == nil {
		var s *balancer.Snapshot
		err := api.Get(ctx, fmt.Sprintf("%s?after=%d", snapshotPath, after), &s)
		if err != nil && ctx.Err() == nil {
			e.Log.Warn("the control plane does not answer; the last snapshot holds", "err", err)
			wait(ctx, pause)
			pause = min(2*pause, lastPause)
			continue
		}
		pause = firstPause
		if s == nil {
			continue
		}
		after = s.Revision
		select {
		case e.news <- s:
		case <-ctx.Done():
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
