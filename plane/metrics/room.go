package metrics

import (
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/plane/database"
)

// admit refuses what the disk has no room for.
func (m *Metrics) admit() error {
	if !m.disk.Full() {
		return nil
	}
	return fault.New(fault.Unavailable, "The disk of the metrics is nearly full.").
		WithHint("free space on the server's disk; datapoints are taken again below %d %%", int(100*database.FullDisk))
}
