package vault_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/plane/rotation"
	"github.com/berthhq/berth/store"
)

const rotator = "arn:aws:lambda:eu-central-1:123456789012:function:rotate"

// function rotates like AWS's templates do, and remembers its steps.
type function struct {
	h     *house
	mu    sync.Mutex
	steps []string
	fails map[string]int // how often a step fails first
}

func (f *function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ Step, SecretId, ClientRequestToken string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	f.steps = append(f.steps, in.Step)
	failing := f.fails[in.Step] > 0
	f.fails[in.Step]--
	f.mu.Unlock()
	if failing {
		fmt.Fprint(w, `{"errorType": "ValueError", "errorMessage": "not now"}`)
		return
	}
	if err := f.do(r.Context(), in.Step, in.SecretId, in.ClientRequestToken); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (f *function) do(ctx context.Context, step, id, token string) error {
	switch step {
	case "createSecret":
		_, err := f.h.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &id, ClientRequestToken: &token, SecretString: new("fresh"), VersionStages: []string{"AWSPENDING"}})
		return err
	case "testSecret":
		_, err := f.h.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id, VersionId: &token, VersionStage: new("AWSPENDING")})
		return err
	case "finishSecret":
		d, err := f.h.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
		if err != nil {
			return err
		}
		for version, stages := range d.VersionIdsToStages {
			if strings.Contains(said(stages), "AWSCURRENT") {
				_, err = f.h.secrets.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{SecretId: &id, VersionStage: new("AWSCURRENT"), MoveToVersionId: &token, RemoveFromVersionId: &version})
			}
		}
		return err
	}
	return nil
}

// until waits for a state of the secret.
func (h *house) until(t *testing.T, name string, is func(*secret.Secret) bool) *secret.Secret {
	t.Helper()
	v, watch := h.store.Watch(store.Secrets.Topic())
	defer watch.Close()
	for {
		if s, ok := store.FindSecret(v, gatewayScope, name); ok && is(s) {
			return s
		}
		select {
		case <-watch.Ready():
			if d := watch.Take(); d.View != nil {
				v = d.View
			}
		case <-t.Context().Done():
			t.Fatal("the secret never came to that")
		}
	}
}

func (h *house) rotate(t *testing.T, f *function) {
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	h.hooks[rotator] = server.URL
	r := &rotation.Rotator{Store: h.store, Addresses: h.hooks, Log: slog.New(slog.DiscardHandler), Now: h.clock.now}
	ctx, stop := context.WithCancel(background)
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}

func TestRotationByAFunction(t *testing.T) {
	h := open(t, nil)
	done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new("stale")}))
	_, err := h.secrets.RotateSecret(background, &secretsmanager.RotateSecretInput{SecretId: new("s")})
	refused(t, err, "InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
	_, err = h.secrets.RotateSecret(background, &secretsmanager.RotateSecretInput{SecretId: new("s"), RotationLambdaARN: new(rotator)})
	refused(t, err, "AccessDeniedException", "--hook "+rotator+"=URL")

	f := &function{h: h, fails: map[string]int{"testSecret": 1}}
	h.rotate(t, f)
	out := done[*secretsmanager.RotateSecretOutput](t)(h.secrets.RotateSecret(background, &secretsmanager.RotateSecretInput{
		SecretId: new("s"), RotationLambdaARN: new(rotator), RotationRules: &types.RotationRulesType{AutomaticallyAfterDays: new(int64(10))},
	}))
	s := h.until(t, "s", func(s *secret.Secret) bool { return s.Rotation.Run == nil && !s.Rotation.LastAt.IsZero() })
	got := done[*secretsmanager.GetSecretValueOutput](t)(h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("s")}))
	equal(t, "value", *got.SecretString+*got.VersionId, "fresh"+*out.VersionId)
	f.mu.Lock()
	equal(t, "steps", said(f.steps), "[createSecret setSecret testSecret testSecret finishSecret]")
	f.mu.Unlock()
	equal(t, "next", s.Rotation.NextAt.Equal(s.Rotation.LastAt.AddDate(0, 0, 10)), true)
	d := done[*secretsmanager.DescribeSecretOutput](t)(h.secrets.DescribeSecret(background, &secretsmanager.DescribeSecretInput{SecretId: new("s")}))
	equal(t, "shown", said(*d.RotationEnabled, *d.RotationLambdaARN, *d.RotationRules.AutomaticallyAfterDays, d.LastRotatedDate != nil), "true "+rotator+" 10 true")

	const tenDays = 10*24*time.Hour + 1
	h.clock.add(tenDays) // a new one begins by itself
	if err := h.touch("s"); err != nil {
		t.Fatal(err)
	}
	h.until(t, "s", func(now *secret.Secret) bool { return now.Rotation.Run != nil })
	h.clock.add(-tenDays) // or nobody could sign any more
}

// touch changes a secret, so that its rotator looks at the clock.
func (h *house) touch(name string) error {
	_, err := h.store.Update(background, func(tx *store.Tx) error {
		s, _ := store.FindSecret(tx, gatewayScope, name)
		store.Secrets.Put(tx, new(*s))
		return nil
	})
	return err
}

func TestARotationIsCancelled(t *testing.T) {
	h := open(t, nil)
	h.hooks[rotator] = "http://127.0.0.1:1"
	done[*secretsmanager.CreateSecretOutput](t)(h.secrets.CreateSecret(background, &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new("v")}))
	begin := func(in *secretsmanager.RotateSecretInput) error {
		in.SecretId, in.RotationLambdaARN = new("s"), new(rotator)
		_, err := h.secrets.RotateSecret(background, in)
		return err
	}
	refused(t, begin(&secretsmanager.RotateSecretInput{RotationRules: &types.RotationRulesType{ScheduleExpression: new("rate(x)")}}), "InvalidParameterException", "ScheduleExpression")
	if err := begin(&secretsmanager.RotateSecretInput{RotateImmediately: new(false), RotationRules: &types.RotationRulesType{ScheduleExpression: new("rate(10 days)")}}); err != nil {
		t.Fatal(err)
	}
	if err := begin(&secretsmanager.RotateSecretInput{}); err != nil {
		t.Fatal(err)
	}
	refused(t, begin(&secretsmanager.RotateSecretInput{}), "InvalidRequestException", "A previous rotation isn't complete.")
	_, err := h.secrets.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: new("s"), VersionStage: new("AWSPENDING")})
	refused(t, err, "ResourceNotFoundException", "staging label: AWSPENDING")
	out := done[*secretsmanager.CancelRotateSecretOutput](t)(h.secrets.CancelRotateSecret(background, &secretsmanager.CancelRotateSecretInput{SecretId: new("s")}))
	equal(t, "its version", out.VersionId != nil, true)
	d := done[*secretsmanager.DescribeSecretOutput](t)(h.secrets.DescribeSecret(background, &secretsmanager.DescribeSecretInput{SecretId: new("s")}))
	equal(t, "off", said(*d.RotationEnabled, d.NextRotationDate), "false <nil>")
}
