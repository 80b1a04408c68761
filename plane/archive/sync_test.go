package archive

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
)

// slowDisk is a disk on which no write is safe while gate is locked.
type slowDisk struct {
	vfs.FS
	gate *sync.RWMutex
}

func (d slowDisk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.Create(name, category)
	return slowFile{f, d.gate}, err
}

type slowFile struct {
	vfs.File
	gate *sync.RWMutex
}

func (f slowFile) Sync() error {
	f.gate.RLock()
	defer f.gate.RUnlock()
	return f.File.Sync()
}

func (f slowFile) SyncData() error {
	f.gate.RLock()
	defer f.gate.RUnlock()
	return f.File.SyncData()
}

// TestNothingIsCalledStoredBeforeItIsOnDisk has an agent send anew what one that was
// killed had on its way.
func TestNothingIsCalledStoredBeforeItIsOnDisk(t *testing.T) {
	var gate sync.RWMutex
	a, c := fresh(t, Options{fs: slowDisk{vfs.Default, &gate}})
	send := func(through int64) <-chan error {
		answer := make(chan error, 1)
		go func() {
			_, err := a.Put(here, "g", "a", []telemetry.Event{{Timestamp: c.millis.Load(), Message: "m"}}, &telemetry.Source{Producer: "p", Through: through})
			answer <- err
		}()
		return answer
	}
	gate.Lock()
	first := send(7)
	for len(read(t, a, "a")) == 0 { // it is visible at once
		runtime.Gosched()
	}
	again, longer := send(7), send(13)
	select {
	case err := <-first:
		t.Errorf("answered the first: %v", err)
	case err := <-again:
		t.Errorf("answered the same: %v", err)
	case err := <-longer:
		t.Errorf("answered the longer one: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	gate.Unlock()
	must(t, <-first)
	must(t, <-again)
	wantKind(t, <-longer, fault.DataAlreadyAccepted)
}
