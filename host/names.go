package host

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"path/filepath"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/host/hostsfile"
	"github.com/berthhq/berth/plane/names"
)

// openNames opens the names that an earlier agent was told.
func (h *Host) openNames(context.Context) (err error) {
	h.names, err = names.OpenDirectory(filepath.Join(h.Data, "zones.json"))
	if err == nil {
		h.writeHosts()
	}
	return err
}

// spelled takes over what the server says of names.
func (h *Host) spelled(zones []discovery.Zone, complete bool) {
	if err := h.names.Learn(zones, complete); err != nil {
		h.Log.Error("names are not kept on disk", "err", err)
	}
	h.writeHosts()
}

// writeHosts names balancers in the machine's hosts file, if that is wanted.
func (h *Host) writeHosts() {
	if h.HostsFile == "" {
		return
	}
	err := hostsfile.Block{Path: h.HostsFile, Owner: filepath.Dir(h.Data)}.Write(h.names.Names(""))
	switch {
	case errors.Is(err, fs.ErrPermission):
		h.Log.Warn("load balancers have no names on this machine: the hosts file can't be written", "err", err)
		h.HostsFile = ""
	case err != nil:
		h.Log.Error("the hosts file does not name the load balancers", "err", err)
	}
}

// resolveForHost answers what tasks in host mode ask, as those of the default VPC.
func (h *Host) resolveForHost() {
	r := names.New(names.Zone{Lookup: h.names.Of(h.keys.DefaultVPC)}, names.NewHost(resolvConf), h.Log)
	r.Serve(h.hostMode.questions, h.hostMode.datagrams)
	h.later(r.Close)
}

// resolvConf names the machine's own resolvers.
const resolvConf = "/etc/resolv.conf"

// zoneOf is what the tasks of a router may ask for; in bridge mode it is what those
// of the default VPC may.
func (h *Host) zoneOf(r *network.Router) names.Zone {
	return names.Zone{
		Range: r.Range, Domain: names.Domain(h.keys.Region), Lookup: h.names.Of(cmp.Or(r.VPC, h.keys.DefaultVPC)),
		Private: func(asker netip.Addr, name string) *discovery.Name { return h.calls.Name(r.VPC, asker, name) },
	}
}
