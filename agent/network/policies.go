package network

import (
	"errors"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
)

// markPriority places the rules of marks before the main routing table.
const markPriority = 1000

// policies gives each mark its routing table. r.mu is held.
func (r *Router) policies(again bool) error {
	marks := r.marks()
	if !again && slices.Equal(r.policed, marks) {
		return nil
	}
	rules, err := r.links.RuleList(netlink.FAMILY_V4)
	if err != nil {
		return err
	}
	var errs []error
	for i := range rules {
		known := slices.ContainsFunc(marks, func(m mark) bool { return m.number == rules[i].Mark })
		if rules[i].Priority == markPriority && !known {
			errs = append(errs, ignoreMissing(r.links.RuleDel(&rules[i])))
		}
	}
	for _, m := range marks {
		errs = append(errs, r.police(m))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	r.policed = marks
	return nil
}

func (r *Router) police(m mark) error {
	link, err := r.links.LinkByName(m.link)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil // the tunnel is not up yet
	}
	if err != nil {
		return err
	}
	if err := r.unfilter(m.link); err != nil {
		return err
	}
	rule := netlink.NewRule()
	rule.Family, rule.Priority, rule.Mark, rule.Table = netlink.FAMILY_V4, markPriority, m.number, int(m.number)
	if err := r.links.RuleAdd(rule); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return r.links.RouteReplace(&netlink.Route{
		LinkIndex: link.Attrs().Index, Gw: m.via.AsSlice(), Flags: int(netlink.FLAG_ONLINK), Table: int(m.number), Protocol: routeOwner,
	})
}
