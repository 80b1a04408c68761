package region

import (
	"slices"
	"strings"
	"testing"
)

func TestCommercialRegionsAreInOrderAndCannotBeChanged(t *testing.T) {
	regions := Commercial()
	if !slices.IsSortedFunc(regions, func(a, b Region) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("not by name: %v", regions)
	}
	regions[0].Name = "changed"
	if Commercial()[0].Name == "changed" {
		t.Error("a caller changed the list")
	}
}

func TestRegionsOfEveryPartitionExist(t *testing.T) {
	for name, want := range map[string]bool{"us-east-1": true, "cn-north-1": true, "us-gov-west-1": true, "us-esat-1": false, "": false} {
		if Exists(name) != want {
			t.Errorf("%q exists: %v", name, !want)
		}
	}
}
