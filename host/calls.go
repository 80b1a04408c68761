package host

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/plane/connect"
)

// openCalls opens what carries the calls of tasks by Service Connect.
func (h *Host) openCalls(context.Context) (err error) {
	h.calls, err = connect.OpenNode(filepath.Join(h.Data, "calls.json"), h.Log)
	return err
}

// learned takes over what the server says of calls.
func (h *Host) learned(meshes []discovery.Mesh) {
	if err := h.calls.Learn(meshes); err != nil {
		h.Log.Error("some names of Service Connect do not answer, or are not kept on disk", "err", err)
	}
}

// callers is a router as Service Connect's proxy sees it.
type callers struct{ *network.Router }

func (c callers) Caller(conn net.Conn) (string, error) {
	p, err := c.Peer(conn)
	return p.Task, err
}

func (c callers) At(a netip.Addr) string {
	p, _ := c.Router.At(a)
	return p.Task
}
