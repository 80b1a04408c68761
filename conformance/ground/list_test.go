package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// list makes an empty prefix list of IPv4.
func (h *house) list(name string) *string {
	h.t.Helper()
	return done[*ec2.CreateManagedPrefixListOutput](h.t)(h.CreateManagedPrefixList(background, &ec2.CreateManagedPrefixListInput{
		PrefixListName: &name, AddressFamily: new("IPv4"), MaxEntries: new(int32(5)),
	})).PrefixList.PrefixListId
}

func (h *house) readList(id *string) types.ManagedPrefixList {
	h.t.Helper()
	return done[*ec2.DescribeManagedPrefixListsOutput](h.t)(h.DescribeManagedPrefixLists(background, &ec2.DescribeManagedPrefixListsInput{PrefixListIds: []string{*id}})).PrefixLists[0]
}

func (h *house) readEntries(id *string) []types.PrefixListEntry {
	h.t.Helper()
	return done[*ec2.GetManagedPrefixListEntriesOutput](h.t)(h.GetManagedPrefixListEntries(background, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: id})).Entries
}

// What Terraform's aws_ec2_managed_prefix_list and its entry do.
func TestPrefixListLives(t *testing.T) {
	h := open(t)
	made := done[*ec2.CreateManagedPrefixListOutput](t)(h.CreateManagedPrefixList(background, &ec2.CreateManagedPrefixListInput{
		PrefixListName: new("office"), AddressFamily: new("IPv4"), MaxEntries: new(int32(2)), TagSpecifications: tagged(types.ResourceTypePrefixList, "a", "1", "gone", "1"),
		Entries: []types.AddPrefixListEntry{{Cidr: new("192.0.2.0/24"), Description: new("first")}, {Cidr: new("10.0.0.0/8")}},
	})).PrefixList
	id := made.PrefixListId
	want := types.ManagedPrefixList{
		PrefixListId: id, PrefixListName: new("office"), AddressFamily: new("IPv4"), MaxEntries: new(int32(2)), Version: new(int64(1)), OwnerId: &account,
		PrefixListArn: resource("prefix-list", id), State: types.PrefixListStateCreateComplete, Tags: tags("a", "1", "gone", "1"),
	}
	equal(t, "made", *made, want)
	equal(t, "read", h.readList(id), want)
	equal(t, "entries", h.readEntries(id), []types.PrefixListEntry{{Cidr: new("10.0.0.0/8")}, {Cidr: new("192.0.2.0/24"), Description: new("first")}})
	h.retag(id)
	more := []types.AddPrefixListEntry{{Cidr: new("198.51.100.0/24"), Description: new("second")}}
	_, err := h.ModifyManagedPrefixList(background, &ec2.ModifyManagedPrefixListInput{PrefixListId: id, CurrentVersion: new(int64(1)), AddEntries: more})
	refused(t, err, "PrefixListMaxEntriesExceeded", "maximum number of entries")
	_, err = h.ModifyManagedPrefixList(background, &ec2.ModifyManagedPrefixListInput{PrefixListId: id, CurrentVersion: new(int64(7)), AddEntries: more})
	refused(t, err, "PrefixListVersionMismatch", "incorrect version number")
	done[*ec2.ModifyManagedPrefixListOutput](t)(h.ModifyManagedPrefixList(background, &ec2.ModifyManagedPrefixListInput{
		PrefixListId: id, CurrentVersion: new(int64(1)), AddEntries: more, RemoveEntries: []types.RemovePrefixListEntry{{Cidr: new("10.0.0.0/8")}},
	}))
	done[*ec2.ModifyManagedPrefixListOutput](t)(h.ModifyManagedPrefixList(background, &ec2.ModifyManagedPrefixListInput{PrefixListId: id, PrefixListName: new("offices"), MaxEntries: new(int32(3))}))
	want.PrefixListName, want.MaxEntries, want.Version, want.State, want.Tags = new("offices"), new(int32(3)), new(int64(2)), types.PrefixListStateModifyComplete, tags("a", "2")
	equal(t, "changed", h.readList(id), want)
	equal(t, "entries changed", h.readEntries(id), []types.PrefixListEntry{
		{Cidr: new("192.0.2.0/24"), Description: new("first")}, {Cidr: new("198.51.100.0/24"), Description: new("second")},
	})
	_, err = h.GetManagedPrefixListEntries(background, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: id, TargetVersion: new(int64(1))})
	refused(t, err, "UnsupportedOperation", "Only the current version")
	table := h.table(h.vpc())
	vpc := h.readTable(table).VpcId
	done[*ec2.CreateRouteOutput](t)(h.CreateRoute(background, &ec2.CreateRouteInput{RouteTableId: table, DestinationPrefixListId: id, GatewayId: h.gateway(vpc)}))
	_, err = h.DeleteManagedPrefixList(background, &ec2.DeleteManagedPrefixListInput{PrefixListId: id})
	refused(t, err, "DependencyViolation", *id)
	done[*ec2.DeleteRouteTableOutput](t)(h.DeleteRouteTable(background, &ec2.DeleteRouteTableInput{RouteTableId: table}))
	done[*ec2.DeleteManagedPrefixListOutput](t)(h.DeleteManagedPrefixList(background, &ec2.DeleteManagedPrefixListInput{PrefixListId: id}))
	_, err = h.DescribeManagedPrefixLists(background, &ec2.DescribeManagedPrefixListsInput{PrefixListIds: []string{*id}})
	refused(t, err, "InvalidPrefixListID.NotFound", *id)
}

func TestListsOfAWSAreRead(t *testing.T) {
	h := open(t)
	name := "com.amazonaws.eu-central-1.s3"
	plain := done[*ec2.DescribePrefixListsOutput](t)(h.DescribePrefixLists(background, &ec2.DescribePrefixListsInput{Filters: []types.Filter{filter("prefix-list-name", name)}})).PrefixLists
	equal(t, "lists", len(plain), 1)
	managed := h.readList(plain[0].PrefixListId)
	equal(t, "its owner", *managed.OwnerId, "AWS")
	_, err := h.DeleteManagedPrefixList(background, &ec2.DeleteManagedPrefixListInput{PrefixListId: managed.PrefixListId})
	refused(t, err, "InvalidPrefixListID.NotFound", *managed.PrefixListId)
}
