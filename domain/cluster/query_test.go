package cluster

import "testing"

type subject map[string][]string

func (s subject) Values(name string) []string { return s[name] }

var g2 = subject{
	"attribute:ecs.instance-type":     {"g2.2xlarge"},
	"attribute:ecs.availability-zone": {"us-east-1a"},
	"attribute:stack":                 {"prod"},
	"attribute:empty":                 {""},
	"agentConnected":                  {"true"},
	"agentVersion":                    {"1.105.1"},
	"runningTasksCount":               {"10"},
	"registeredAt":                    {"2026-11-01T10:00:00Z"},
	"task:group":                      {"service:web", "family:batch"},
}

func TestQuery(t *testing.T) {
	for expr, want := range map[string]bool{
		"attribute:ecs.instance-type == g2.2xlarge":                                          true,
		"attribute:ecs.instance-type =~ g2.*":                                                true,
		"attribute:ecs.instance-type =~ g2":                                                  false,
		"attribute:ecs.instance-type =~ 'g[23]\\..*' and attribute:stack exists":             true,
		"attribute:ecs.instance-type !~ t2.*":                                                true,
		"attribute:ecs.availability-zone in [us-east-1a, us-east-1b]":                        true,
		"attribute:ecs.availability-zone not_in [us-east-1a,us-east-1b]":                     false,
		"attribute:ecs.availability-zone !in [us-east-1c]":                                   true,
		"attribute:ecs.availability-zone != us-east-1d":                                      true,
		"attribute:stack exists":                                                             true,
		"attribute:color !exists":                                                            true,
		"attribute:color not_exists":                                                         true,
		"attribute:color == red":                                                             false,
		"attribute:color != red":                                                             true,
		"attribute:empty == ''":                                                              true,
		"agentConnected == true":                                                             true,
		"agentVersion >= 1.9.0":                                                              true,
		"agentVersion < 1.105.2":                                                             true,
		"runningTasksCount > 9":                                                              true,
		"runningTasksCount greater_than_equal 11":                                            false,
		"registeredAt < 2026-11-02":                                                          true,
		"task:group == family:batch":                                                         true,
		"task:group != service:web":                                                          false,
		"not (task:group == service:db)":                                                     true,
		"!(attribute:stack == prod) || agentConnected equals true":                           true,
		"attribute:stack == dev or attribute:stack == prod and agentConnected == false":      false,
		"(attribute:stack == dev or attribute:stack == prod) && not agentConnected == false": true,
		`attribute:stack == "prod"`:                                                          true,
	} {
		q, err := ParseQuery(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
		} else if got := q.Match(g2); got != want {
			t.Errorf("%s: got %v", expr, got)
		}
	}
}

func TestQueryRefuses(t *testing.T) {
	for _, expr := range []string{
		"", "attribute:stack", "attribute:stack ==", "== prod", "attribute:stack = prod", "(attribute:stack exists",
		"attribute:stack in prod", "attribute:stack in [a b]", "attribute:stack in [a,", "attribute:a exists attribute:b exists",
		"attribute:stack =~ '('", "attribute:stack == 'prod", "and", "not",
	} {
		if q, err := ParseQuery(expr); err == nil {
			t.Errorf("%q was accepted as %+v", expr, q.root)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	f.Add("attribute:ecs.instance-type =~ g[23].* and not (task:group == 'x')")
	f.Add("attribute:a in [1,2,'3'] || b !exists")
	f.Fuzz(func(t *testing.T, expr string) {
		q, err := ParseQuery(expr)
		if err != nil {
			return
		}
		if negated, err := ParseQuery("not (" + expr + ")"); err == nil && negated.Match(g2) == q.Match(g2) {
			t.Errorf("%q and its negation agree", expr)
		}
	})
}
