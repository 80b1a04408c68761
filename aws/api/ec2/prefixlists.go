package ec2

import (
	"iter"
	"net/netip"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

type prefixList = network.PrefixList

// amazonsLists are those that AWS keeps, of the services that have gateway endpoints.
func amazonsLists(scope arn.Scope) []*prefixList {
	var lists []*prefixList
	for _, service := range []string{"dynamodb", "s3"} {
		name := serviceName(scope.Region, service)
		lists = append(lists, &prefixList{
			Scope: arn.Scope{Account: "AWS", Region: scope.Region}, ID: network.DerivedID("pl", name), Name: name, Family: "IPv4", Version: 1,
		})
	}
	return lists
}

func allPrefixLists(r store.Reader, scope arn.Scope) []*prefixList {
	all := amazonsLists(scope)
	for p := range store.PrefixLists.Prefix(r, network.Key(scope, "")) {
		all = append(all, p)
	}
	return all
}

var prefixListKind = kind[prefixList]{
	noun: "prefixList", missing: fault.InvalidPrefixListID,
	id:   func(p *prefixList) string { return p.ID },
	tags: func(p *prefixList) []workload.Tag { return p.Tags },
	fields: map[string]func(*prefixList) []string{
		"owner-id":         one(func(p *prefixList) string { return p.Scope.Account }),
		"prefix-list-id":   one(func(p *prefixList) string { return p.ID }),
		"prefix-list-name": one(func(p *prefixList) string { return p.Name }),
	},
}

func findPrefixList(r store.Reader, scope arn.Scope, id *string) (*prefixList, error) {
	for _, p := range amazonsLists(scope) {
		if p.ID == deref(id) {
			return p, nil
		}
	}
	return find(&prefixListKind, store.PrefixLists, r, scope, id)
}

func (a *API) describePrefixLists(_ *store.View, call *gateway.Call, in *shape.DescribePrefixListsRequest) (*shape.DescribePrefixListsResult, error) {
	page, next, err := derived(&prefixListKind, amazonsLists(call.Scope), selection{in.PrefixListIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribePrefixListsResult{NextToken: next, PrefixLists: each(page, func(p *prefixList) shape.PrefixList {
		return shape.PrefixList{PrefixListId: new(p.ID), PrefixListName: new(p.Name), Cidrs: texts(p.Entries, func(e network.PrefixListEntry) string { return e.CIDR })}
	})}, nil
}

func (a *API) describeManagedPrefixLists(v *store.View, call *gateway.Call, in *shape.DescribeManagedPrefixListsRequest) (*shape.DescribeManagedPrefixListsResult, error) {
	page, next, err := derived(&prefixListKind, allPrefixLists(v, call.Scope), selection{in.PrefixListIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeManagedPrefixListsResult{NextToken: next, PrefixLists: each(page, func(p *prefixList) shape.ManagedPrefixList {
		return managedShape(p, listState(p))
	})}, nil
}

func listState(p *prefixList) shape.PrefixListState {
	if p.Modified {
		return shape.PrefixListStateModifyComplete
	}
	return shape.PrefixListStateCreateComplete
}

func managedShape(p *prefixList, state shape.PrefixListState) shape.ManagedPrefixList {
	s := shape.ManagedPrefixList{
		PrefixListId: new(p.ID), PrefixListName: new(p.Name), AddressFamily: new(p.Family), State: state, OwnerId: new(p.Scope.Account),
		PrefixListArn: new(p.Scope.Of("ec2", "prefix-list/"+p.ID)), Tags: tagShapes(p.Tags),
	}
	if p.MaxEntries > 0 {
		s.MaxEntries, s.Version = new(int32(p.MaxEntries)), new(p.Version)
	}
	return s
}

func (a *API) prefixListEntries(v *store.View, call *gateway.Call, in *shape.GetManagedPrefixListEntriesRequest) (*shape.GetManagedPrefixListEntriesResult, error) {
	p, err := findPrefixList(v, call.Scope, in.PrefixListId)
	if err != nil {
		return nil, err
	}
	if in.TargetVersion != nil && *in.TargetVersion != p.Version {
		return nil, fault.New(fault.UnsupportedOperation, "Only the current version of a prefix list, %d, is kept.", p.Version)
	}
	var all []*network.PrefixListEntry
	for _, e := range p.Entries {
		all = append(all, &e)
	}
	page, next, err := derived(&entryKind, all, selection{max: in.MaxResults, token: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.GetManagedPrefixListEntriesResult{NextToken: next, Entries: each(page, func(e *network.PrefixListEntry) shape.PrefixListEntry {
		return shape.PrefixListEntry{Cidr: new(e.CIDR), Description: optional(e.Description)}
	})}, nil
}

var entryKind = kind[network.PrefixListEntry]{id: func(e *network.PrefixListEntry) string { return e.CIDR }}

func (a *API) createPrefixList(tx *store.Tx, call *gateway.Call, in *shape.CreateManagedPrefixListRequest) (*shape.CreateManagedPrefixListResult, error) {
	tags, err := specified(in.TagSpecifications, shape.ResourceTypePrefixList)
	if err != nil {
		return nil, err
	}
	if in.MaxEntries == nil || in.PrefixListName == nil {
		return nil, fault.New(fault.MissingParameter, "The request must contain the parameters PrefixListName and MaxEntries")
	}
	made := prefixList{Scope: call.Scope, ID: newID("pl"), Name: *in.PrefixListName, Family: deref(in.AddressFamily), MaxEntries: int(*in.MaxEntries), Version: 1, Tags: tags}
	if made.Family != "IPv4" && made.Family != "IPv6" {
		return nil, invalid("Value (%s) for parameter AddressFamily is invalid.", made.Family)
	}
	if err := addEntries(&made, in.Entries); err != nil {
		return nil, err
	}
	store.PrefixLists.Put(tx, &made)
	return &shape.CreateManagedPrefixListResult{PrefixList: new(managedShape(&made, listState(&made)))}, nil
}

func addEntries(p *prefixList, asked []shape.AddPrefixListEntry) error {
	for _, e := range asked {
		cidr, err := anyRange(deref(e.Cidr), p.Family == "IPv6", "cidr")
		if err != nil {
			return err
		}
		entry := network.PrefixListEntry{CIDR: cidr, Description: deref(e.Description)}
		if at := slices.IndexFunc(p.Entries, func(h network.PrefixListEntry) bool { return h.CIDR == cidr }); at >= 0 {
			p.Entries[at] = entry
			continue
		}
		p.Entries = append(p.Entries, entry)
	}
	if len(p.Entries) > p.MaxEntries {
		return fault.New(fault.PrefixListMaxEntries, "You've reached the maximum number of entries for the prefix list.")
	}
	slices.SortFunc(p.Entries, func(a, b network.PrefixListEntry) int {
		return netip.MustParsePrefix(a.CIDR).Compare(netip.MustParsePrefix(b.CIDR))
	})
	return nil
}

func (a *API) modifyPrefixList(tx *store.Tx, call *gateway.Call, in *shape.ModifyManagedPrefixListRequest) (*shape.ModifyManagedPrefixListResult, error) {
	have, err := find(&prefixListKind, store.PrefixLists, tx, call.Scope, in.PrefixListId)
	if err != nil {
		return nil, err
	}
	if in.CurrentVersion != nil && *in.CurrentVersion != have.Version {
		return nil, fault.New(fault.PrefixListVersionMismatch, "The prefix list has the incorrect version number. (%d).", have.Version)
	}
	next := *have
	next.Entries, next.Modified = slices.Clone(have.Entries), true
	if in.PrefixListName != nil {
		next.Name = *in.PrefixListName
	}
	if in.MaxEntries != nil {
		next.MaxEntries = int(*in.MaxEntries)
	}
	for _, gone := range in.RemoveEntries {
		next.Entries = slices.DeleteFunc(next.Entries, func(e network.PrefixListEntry) bool { return e.CIDR == deref(gone.Cidr) })
	}
	if err := addEntries(&next, in.AddEntries); err != nil {
		return nil, err
	}
	if len(in.AddEntries)+len(in.RemoveEntries) > 0 {
		next.Version++
	}
	store.PrefixLists.Put(tx, &next)
	return &shape.ModifyManagedPrefixListResult{PrefixList: new(managedShape(&next, listState(&next)))}, nil
}

func (a *API) deletePrefixList(tx *store.Tx, call *gateway.Call, in *shape.DeleteManagedPrefixListRequest) (*shape.DeleteManagedPrefixListResult, error) {
	have, err := find(&prefixListKind, store.PrefixLists, tx, call.Scope, in.PrefixListId)
	if err != nil {
		return nil, err
	}
	if store.SecurityGroups.Has(tx, store.SecurityGroupsByPeer, network.Key(have.Scope, have.ID)) || routed(store.RouteTables.Prefix(tx, network.Key(have.Scope, "")), have.ID) {
		return nil, inUse("The prefix list %s is in use", have.ID)
	}
	store.PrefixLists.Delete(tx, network.Key(have.Scope, have.ID))
	return &shape.DeleteManagedPrefixListResult{PrefixList: new(managedShape(have, shape.PrefixListStateDeleteComplete))}, nil
}

func routed(tables iter.Seq[*routeTable], to string) bool {
	for t := range tables {
		if slices.ContainsFunc(t.Routes, func(r network.Route) bool { return r.To == to }) {
			return true
		}
	}
	return false
}
