package witness

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

const trainer = "arn:aws:iam::000000000000:role/trainer"

func open(t testing.TB, dir string) *Witness {
	t.Helper()
	w, err := Open(dir, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func sighting(action string, allowed bool, at int64) Sighting {
	return Sighting{
		Principal: trainer, KeyID: "ASIA1", Action: action, Resource: "arn:aws:ecs:us-east-1:000000000000:task/default/" + strings.Repeat("a", 32),
		Region: "us-east-1", Allowed: allowed, At: time.Unix(at, 0).UTC(),
	}
}

func TestWhatWasSeenIsRemembered(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	w.Saw(sighting("ecs:StopTask", true, 100))
	w.Saw(sighting("ecs:StopTask", false, 200))
	w.Saw(sighting("ecs:DescribeTasks", true, 150))
	trial := sighting("ecs:StopTask", false, 300)
	trial.Trial = "arn:aws:iam::000000000000:policy/tight@v1"
	w.Saw(trial)
	for round := range 2 {
		uses := w.Uses(trainer, "")
		if len(uses) != 2 || uses[1].Action != "ecs:StopTask" || uses[1].Allowed != 1 || uses[1].Denied != 1 ||
			uses[1].Resource != "arn:aws:ecs:us-east-1:000000000000:task/default/*" || uses[1].First.Unix() != 100 || uses[1].Last.Unix() != 200 {
			t.Errorf("round %d: %+v", round, uses)
		}
		if refused := w.Uses(trainer, trial.Trial); len(refused) != 1 || refused[0].Denied != 1 {
			t.Errorf("round %d: the trial shows %+v", round, refused)
		}
		if last, ok := w.KeyUsed("ASIA1"); !ok || last.At.Unix() != 150 || last.Service != "ecs" || last.Region != "us-east-1" {
			t.Errorf("round %d: key used %+v, %v", round, last, ok)
		}
		if last, ok := w.PrincipalUsed(trainer); !ok || last.At.Unix() != 200 {
			t.Errorf("round %d: role used %+v, %v", round, last, ok)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w = open(t, dir)
	}
	if _, ok := w.PrincipalUsed("arn:aws:iam::000000000000:role/other"); ok {
		t.Error("another role was used")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOnePrincipalCannotFillIt(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.Close()
	for n := range 2 * mostKinds {
		s := sighting("s3:GetObject", true, 100)
		s.Resource = fmt.Sprintf("arn:aws:s3:::b/%d", n)
		w.Saw(s)
	}
	uses := w.Uses(trainer, "")
	var calls uint64
	for _, u := range uses {
		calls += u.Allowed
	}
	if len(uses) > mostKinds+1 || calls != 2*mostKinds {
		t.Errorf("%d kinds, %d calls", len(uses), calls)
	}
}

func BenchmarkSaw(b *testing.B) {
	w := open(b, b.TempDir())
	defer w.Close()
	s := sighting("ecs:DescribeTasks", true, 100)
	for b.Loop() {
		w.Saw(s)
	}
}
