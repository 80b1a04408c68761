package secret

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
)

var (
	scope = arn.Scope{Account: "123456789012", Region: "eu-central-1"}
	began = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
)

func TestNamesInIdentifiers(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"
	for id, want := range map[string][]string{
		"a/b":                      {"a/b"},
		"name-abcdef":              {"name-abcdef"},
		arn + "a/b-abcdef":         {"a/b", "a/b-abcdef"},
		arn + "a/b":                {"a/b"},
		arn + "-abcdef":            {"-abcdef"},
		"arn:aws:ssm:r:a:secret:x": nil,
		arn[:len(arn)-1]:           nil,
	} {
		if got := NamesIn(id); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	s := &Secret{Name: "a-abcdef", ARN: ARN(scope, "a-abcdef", "UVWXYZ")}
	for id, want := range map[string]bool{"a-abcdef": true, s.ARN: true, arn + "a-abcdef": true, arn + "a": false, "a": false, arn + "a-abcdef-abcdef": false} {
		if got := s.Means(id); got != want {
			t.Errorf("%s means it: %v", id, got)
		}
	}
}

// Whatever is put and moved, a label is on one version at most, AWSCURRENT is never
// lost, and what it leaves is AWSPREVIOUS.
func TestLabelsAreOnOneVersion(t *testing.T) {
	labels := []string{Current, Previous, Pending, "mine"}
	rapid.Check(t, func(r *rapid.T) {
		versions := WithVersion(nil, Version{ID: "v0", Stages: []string{Current}})
		for n := range rapid.IntRange(0, 12).Draw(r, "steps") {
			before, _ := (&Secret{Versions: versions}).Staged(Current)
			untouched := fmt.Sprint(versions)
			was := versions
			stage := rapid.SampledFrom(labels).Draw(r, "label")
			if rapid.Bool().Draw(r, "put") {
				versions = WithVersion(versions, Version{ID: fmt.Sprintf("v%d", n+1), Stages: []string{stage}})
			} else {
				versions = MoveStage(versions, stage, rapid.SampledFrom(versions).Draw(r, "to").ID)
			}
			if fmt.Sprint(was) != untouched {
				r.Fatalf("the versions before were changed: %v", was)
			}
			for _, l := range labels {
				if n := count(versions, l); n > 1 {
					r.Fatalf("%s is on %d versions: %v", l, n, versions)
				}
			}
			s := &Secret{Versions: versions}
			after, ok := s.Staged(Current)
			if !ok {
				r.Fatalf("AWSCURRENT is lost: %v", versions)
			}
			if previous, _ := s.Staged(Previous); after.ID != before.ID && previous.ID != before.ID {
				r.Fatalf("AWSCURRENT left %s, AWSPREVIOUS is %s", before.ID, previous.ID)
			}
		}
	})
}

func count(versions []Version, stage string) (n int) {
	for _, v := range versions {
		if slices.Contains(v.Stages, stage) {
			n++
		}
	}
	return n
}

func TestPruningKeepsLabels(t *testing.T) {
	var versions []Version
	for n := range MaxVersions + 3 {
		v := Version{ID: fmt.Sprint(n)}
		if n < 2 {
			v.Stages = []string{fmt.Sprint("l", n)}
		}
		versions = append(versions, v)
	}
	kept, dropped := Prune(versions)
	if len(kept) != MaxVersions || !slices.Equal(dropped, []string{"2", "3", "4"}) {
		t.Errorf("kept %d, dropped %v", len(kept), dropped)
	}
}

func TestRotationTakesItsSteps(t *testing.T) {
	s := &Secret{Versions: []Version{{ID: "a", Stages: []string{Current}}}, Rotation: Rotation{Enabled: true, Schedule: "rate(3 days)"}}
	r := s.Rotating("b", began)
	if v, ok := r.Staged(Pending); !ok || v.ID != "b" || !v.Empty || s.Rotation.Run != nil {
		t.Fatalf("begun: %+v", r)
	}
	var steps []Step
	for range 3 {
		steps = append(steps, r.Rotation.Run.Step)
		var ok bool
		if r, ok = r.Stepped(began); !ok {
			t.Fatal("stuck")
		}
	}
	if !slices.Equal(steps, []Step{CreateSecret, SetSecret, TestSecret}) || r.Rotation.Run.Step != FinishSecret {
		t.Errorf("steps %v, then %v", steps, r.Rotation.Run.Step)
	}
	if _, ok := r.Stepped(began); ok {
		t.Error("finished while AWSCURRENT is where it was")
	}
	r.Versions = MoveStage(r.Versions, Current, "b")
	end, ok := r.Stepped(began)
	if !ok || end.Rotation.Run != nil || !end.Rotation.LastAt.Equal(began) || !end.Rotation.NextAt.Equal(began.AddDate(0, 0, 3)) {
		t.Errorf("ended %+v", end.Rotation)
	}
}

func TestPasswordsObey(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := Password{
			Length: rapid.IntRange(5, 60).Draw(r, "length"), Exclude: rapid.StringMatching(`[a-y0-8!-/]{0,8}`).Draw(r, "exclude"),
			NoLower: rapid.Bool().Draw(r, "no lower"), NoUpper: rapid.Bool().Draw(r, "no upper"), NoDigits: rapid.Bool().Draw(r, "no digits"),
			Space: rapid.Bool().Draw(r, "space"), EachKind: rapid.Bool().Draw(r, "each"),
		}
		made, err := p.Generate(rand.Reader)
		if err != nil || len(made) != p.Length || p.Exclude != "" && strings.ContainsAny(made, p.Exclude) {
			r.Fatalf("%q, %v", made, err)
		}
		for _, c := range made {
			if !strings.ContainsRune(strings.Join(p.Kinds(), ""), c) {
				r.Fatalf("%q has %q", made, c)
			}
		}
		for _, kind := range p.Kinds() {
			if p.EachKind && !strings.ContainsAny(made, kind) {
				r.Fatalf("%q has none of %q", made, kind)
			}
		}
	})
}

func TestPasswordsAreDrawnEvenly(t *testing.T) {
	counts := map[rune]int{}
	made, err := Password{Length: 20_000, NoLower: true, NoUpper: true, NoPunctuation: true}.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range made {
		counts[c]++
	}
	for _, c := range digits {
		if n := counts[c]; n < 1700 || n > 2300 { // seven standard deviations
			t.Errorf("%q came %d times of 2000", c, n)
		}
	}
}

func TestNamesOfKeys(t *testing.T) {
	other := arn.Scope{Account: "210987654321", Region: "eu-west-1"}
	for text, want := range map[string]KeyName{
		"0123":                     {Scope: scope, ID: "0123"},
		"alias/a/b":                {Scope: scope, Alias: "alias/a/b"},
		KeyARN(other, "0123"):      {Scope: other, ID: "0123"},
		AliasARN(other, "alias/x"): {Scope: other, Alias: "alias/x"},
	} {
		if got, ok := ReadKeyName(scope, text); !ok || got != want {
			t.Errorf("%s: %+v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "a/b", "arn:aws:s3:::b", "arn:aws:kms:r:1:x/y"} {
		if got, ok := ReadKeyName(scope, text); ok {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func TestBelowAPath(t *testing.T) {
	for _, c := range []struct {
		name, path string
		one, all   bool
	}{
		{"/a/b", "/a", true, true}, {"/a/b", "/a/", true, true}, {"/a/b/c", "/a", false, true}, {"/ab", "/a", false, false},
		{"/a", "/a", false, false}, {"a", "/", true, true}, {"/a/b", "/", false, true},
	} {
		if one, all := Below(c.name, c.path, false), Below(c.name, c.path, true); one != c.one || all != c.all {
			t.Errorf("%s below %s: %v, %v", c.name, c.path, one, all)
		}
	}
}

func TestSelectors(t *testing.T) {
	for text, want := range map[string]struct {
		name string
		s    Selector
	}{"/a": {"/a", Selector{}}, "/a:3": {"/a", Selector{Version: 3}}, "a:prod": {"a", Selector{Label: "prod"}}, "a:0": {"a", Selector{Label: "0"}}} {
		if name, s := Select(text); name != want.name || s != want.s {
			t.Errorf("%s: %s %+v", text, name, s)
		}
		if name, s := Select(text); name+s.String() != text {
			t.Errorf("%s is shown as %s", text, name+s.String())
		}
	}
}

func TestUsableKeys(t *testing.T) {
	for state, kind := range map[KeyState]fault.Kind{Disabled: fault.KeyDisabled, PendingDeletion: fault.KeyInvalidState} {
		if err := (&Key{State: state}).Usable(); !fault.IsKind(err, kind) {
			t.Errorf("%s: %v", state, err)
		}
	}
	if err := (&Key{State: Enabled}).Usable(); err != nil {
		t.Error(err)
	}
}
