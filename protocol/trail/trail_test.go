package trail_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/protocol/trail"
)

var at = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func write(t *testing.T, file string, names ...string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log := trail.NewLogger(f, slog.LevelInfo)
	for _, name := range names {
		log.Info("request", trail.Attr(func() *trail.Record { return &trail.Record{EventName: name, EventTime: at} }))
		log.Debug("request", trail.Attr(func() *trail.Record { t.Error("a record was made for nobody"); return nil }))
	}
}

func TestRecordsAreReadInOrder(t *testing.T) {
	dir := t.TempDir()
	current := filepath.Join(dir, "audit.log")
	if files, err := trail.Files(current); len(files) != 0 || err != nil {
		t.Errorf("nothing: %v, %v", files, err)
	}
	write(t, current, "Three")
	write(t, filepath.Join(dir, "audit-2026-01-02T11-00-00.000.log"), "Two")
	write(t, filepath.Join(dir, "audit-2026-01-02T10-00-00.000.log"), "One")
	if err := os.WriteFile(filepath.Join(dir, "audit-2026-01-02T11-30-00.000.log"), []byte("half a line\n{}\n{\"eventName\":"), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := trail.Files(current)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		for r, err := range trail.Read(file) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, r.EventName)
		}
	}
	if !slices.Equal(names, []string{"One", "Two", "Three"}) {
		t.Errorf("got %v", names)
	}
}

func TestATailGoesOnAfterARotation(t *testing.T) {
	current := filepath.Join(t.TempDir(), "audit.log")
	write(t, current, "One")
	tail, err := trail.Open(current)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	take := func() {
		t.Helper()
		if err := tail.Take(func(r *trail.Record) error { names = append(names, r.EventName); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	take()
	take()
	write(t, current, "Two")
	if err := os.Rename(current, current+".old"); err != nil {
		t.Fatal(err)
	}
	take()
	write(t, current, "Three")
	take()
	if err := tail.Close(); err != nil || !slices.Equal(names, []string{"One", "Two", "Three"}) {
		t.Errorf("got %v, %v", names, err)
	}
}

func TestAFilterKnowsItsOwn(t *testing.T) {
	r := &trail.Record{
		EventTime: at, EventName: "RunTask", ErrorCode: "AccessDeniedException", Additional: trail.Additional{Needed: []string{"ecs:RunTask", "iam:PassRole"}},
		UserIdentity: trail.Identity{ARN: "arn:aws:sts::123456789012:assumed-role/worker/ada", AccessKeyID: "ASIA1", SessionContext: &trail.SessionContext{
			SessionIssuer: &trail.Issuer{ARN: "arn:aws:iam::123456789012:role/worker", UserName: "worker"},
		}},
	}
	for _, f := range []trail.Filter{
		{}, {Since: at}, {Principal: "ada"}, {Principal: "worker"}, {Principal: r.UserIdentity.ARN}, {Principal: "arn:aws:iam::123456789012:role/worker"}, {Principal: "ASIA1"},
		{Action: "ecs:RunTask"}, {Action: "runtask"}, {Action: "iam:passrole"}, {Denied: true},
	} {
		if !f.Wants(r) {
			t.Errorf("%+v does not want it", f)
		}
	}
	for _, f := range []trail.Filter{{Since: at.Add(time.Second)}, {Principal: "work"}, {Action: "ecs:StopTask"}, {Action: "ecs:*"}} {
		if f.Wants(r) {
			t.Errorf("%+v wants it", f)
		}
	}
	r.ErrorCode = "ClientException"
	if f := (trail.Filter{Denied: true}); f.Wants(r) {
		t.Error("a mistake counts as denied")
	}
}
