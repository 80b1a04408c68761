package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
)

var (
	scope = arn.Scope{Account: "123456789012", Region: "eu-central-1"}
	noon  = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	rule  = &Rule{Scope: scope, Bus: DefaultBus, Name: "r", ARN: "arn:aws:events:eu-central-1:123456789012:rule/r"}
)

func stopped() *Event {
	return &Event{
		ID: "1", DetailType: "ECS Task State Change", Source: ECSSource, Scope: scope, Time: noon, Resources: []string{"arn:t"},
		Detail: json.RawMessage(`{"lastStatus":"STOPPED","reason":"it \"broke\"","cpu":256,"containers":[{"name":"app"},{"name":"side"}]}`),
	}
}

func TestPayloads(t *testing.T) {
	const head = `{"version":"0","id":"1","detail-type":"ECS Task State Change","source":"aws.ecs","account":"123456789012","time":"2026-03-04T12:00:00Z","region":"eu-central-1","resources":["arn:t"]`
	paths := map[string]string{"status": "$.detail.lastStatus", "why": "$.detail.reason", "cpu": "$.detail.cpu", "first": "$.detail.containers[0]", "gone": "$.detail.nothing", "type": "$.detail-type"}
	for _, c := range []struct {
		target Target
		want   string
	}{
		{Target{}, head + `,"detail":` + string(stopped().Detail) + `}`},
		{Target{Input: `{"a": 1}`}, `{"a": 1}`},
		{Target{InputPath: "$.detail.containers[1].name"}, `"side"`},
		{Target{InputPath: "$.detail['lastStatus']"}, `"STOPPED"`},
		{Target{InputPath: "$.detail.none"}, `null`},
		{Target{InputPath: "$.detail.containers[2]"}, `null`},
		{Target{Transformer: &Transformer{paths, `"task is <status>: <why>"`}}, `"task is STOPPED: it \"broke\""`},
		{Target{Transformer: &Transformer{paths, `{"s": <status>, "cpu": <cpu>, "c": <first>, "text": "<cpu> <first>", "gone": <gone>, "g": "<gone>"}`}},
			`{"s": "STOPPED", "cpu": 256, "c": {"name":"app"}, "text": "256 {\"name\":\"app\"}", "gone": "", "g": ""}`},
		{Target{Transformer: &Transformer{paths, `"a \"<status>\" <other> < b"`}}, `"a \"STOPPED\" <other> < b"`},
		{Target{Transformer: &Transformer{nil, `{"rule": <aws.events.rule-name>, "arn": "<aws.events.rule-arn>", "at": <aws.events.event.ingestion-time>, "e": <aws.events.event>}`}},
			`{"rule": "r", "arn": "` + rule.ARN + `", "at": "2026-03-04T12:00:01Z", "e": ` + head + `}}`},
	} {
		if got := string(c.target.Payload(rule, stopped(), noon.Add(time.Second))); got != c.want {
			t.Errorf("%+v:\ngot  %s\nwant %s", c.target, got, c.want)
		}
	}
}

func TestBadInputs(t *testing.T) {
	for words, target := range map[string]Target{
		"Only one of":        {Input: "1", InputPath: "$"},
		"JSON syntax error":  {Input: "{"},
		"Invalid InputPath:": {InputPath: "detail"},
		"Invalid InputPathsMap for target t: Invalid": {Transformer: &Transformer{map[string]string{"a": "$..b"}, "x"}},
		"keys cannot start":                           {Transformer: &Transformer{map[string]string{"aws.x": "$"}, "x"}},
	} {
		target.ID = "t"
		if err := target.CheckInput(); err == nil || !strings.HasPrefix(err.Error(), words) && !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", words, err)
		}
	}
	for _, text := range []string{"", "$.", "$[", "$[x]", "$['']", "$.a.*", "$x", "$[-1]"} {
		if _, err := ParsePath(text); err == nil {
			t.Errorf("%q is a path", text)
		}
	}
}

func TestRetriesEnd(t *testing.T) {
	p := DefaultRetry()
	at, tries := noon, 0
	for n := 1; ; n++ {
		next, ok := p.Again("id", n, noon, at)
		if !ok {
			break
		}
		if wait := next.Sub(at); wait < firstWait/2 || wait > lastWait {
			t.Fatalf("retry %d after %v", n, wait)
		}
		at, tries = next, n
	}
	if at.Sub(noon) > p.MaxAge || tries < 100 || tries > p.Attempts {
		t.Errorf("%d retries until %v", tries, at.Sub(noon))
	}
	if _, ok := (RetryPolicy{MaxAge: time.Hour}).Again("id", 1, noon, noon); ok {
		t.Error("retried though no retries are allowed")
	}
}
