package password

import (
	"strings"
	"testing"
)

func TestOnlyThePasswordMatches(t *testing.T) {
	long := strings.Repeat("ä", 100)
	for _, text := range []string{"hunter2", "", long} {
		hash, err := Hash(text)
		if err != nil {
			t.Fatal(err)
		}
		if !Matches(hash, text) || Matches(hash, text+"x") || text != "" && strings.Contains(hash, text) {
			t.Errorf("%q", text)
		}
	}
	if Matches("", "") || Matches("not a hash", "x") {
		t.Error("something that is no hash matches")
	}
}
