package event

import (
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/fault"
)

const sample = `{"version": "0", "source": "aws.ecs", "detail-type": "ECS Task State Change", "resources": ["arn:a", "arn:b"],
	"detail": {"lastStatus": "STOPPED", "cpu": 256, "ratio": 1.0, "ip": "10.0.1.7", "six": "2001:db8::7", "path": "dir/file.png", "none": null, "on": true, "empty": [], "star": "a*b",
	"containers": [{"name": "app", "exitCode": 0}, {"name": "side", "exitCode": 7}], "group": {"kind": "service"}}}`

func TestPatterns(t *testing.T) {
	event, err := Decode([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		detail string // of the pattern
		want   bool
	}{
		{`{"lastStatus": ["STOPPED"]}`, true},
		{`{"lastStatus": ["RUNNING", "STOPPED"]}`, true},
		{`{"lastStatus": ["stopped"]}`, false},
		{`{"lastStatus": [null]}`, false},
		{`{"none": [null]}`, true},
		{`{"on": [true]}`, true},
		{`{"on": ["true"]}`, false},
		{`{"cpu": [256]}`, true},
		{`{"cpu": [256.0]}`, false}, // as it is written
		{`{"ratio": [1.0]}`, true},
		{`{"lastStatus": [{"prefix": "STO"}]}`, true},
		{`{"lastStatus": [{"prefix": ""}]}`, true},
		{`{"cpu": [{"prefix": "2"}]}`, false},
		{`{"lastStatus": [{"prefix": {"equals-ignore-case": "sto"}}]}`, true},
		{`{"path": [{"suffix": ".png"}]}`, true},
		{`{"path": [{"suffix": ".PNG"}]}`, false},
		{`{"path": [{"suffix": {"equals-ignore-case": ".PNG"}}]}`, true},
		{`{"lastStatus": [{"equals-ignore-case": "stopped"}]}`, true},
		{`{"path": [{"wildcard": "dir/*.png"}]}`, true},
		{`{"path": [{"wildcard": "*"}]}`, true},
		{`{"path": [{"wildcard": "dir*file.png"}]}`, true},
		{`{"path": [{"wildcard": "d*r*i*g"}]}`, true},
		{`{"path": [{"wildcard": "dir/"}]}`, false},
		{`{"path": [{"wildcard": "*.jpg"}]}`, false},
		{`{"star": [{"wildcard": "a\\*b"}]}`, true},
		{`{"path": [{"wildcard": "dir\\*"}]}`, false},
		{`{"lastStatus": [{"anything-but": "STOPPED"}]}`, false},
		{`{"lastStatus": [{"anything-but": ["RUNNING", "PENDING"]}]}`, true},
		{`{"cpu": [{"anything-but": 512}]}`, true},
		{`{"cpu": [{"anything-but": [256, 512]}]}`, false},
		{`{"absent": [{"anything-but": "x"}]}`, false},
		{`{"lastStatus": [{"anything-but": {"prefix": "STO"}}]}`, false},
		{`{"lastStatus": [{"anything-but": {"prefix": ["RUN", "PEN"]}}]}`, true},
		{`{"path": [{"anything-but": {"suffix": [".jpg", ".png"]}}]}`, false},
		{`{"lastStatus": [{"anything-but": {"equals-ignore-case": ["stopped"]}}]}`, false},
		{`{"path": [{"anything-but": {"wildcard": "*/other*"}}]}`, true},
		{`{"cpu": [{"numeric": ["=", 256.0]}]}`, true},
		{`{"cpu": [{"numeric": [">", 0, "<=", 256]}]}`, true},
		{`{"cpu": [{"numeric": [">", 256]}]}`, false},
		{`{"cpu": [{"numeric": [">=", 256, "<", 257]}]}`, true},
		{`{"lastStatus": [{"numeric": [">", 0]}]}`, false},
		{`{"lastStatus": [{"exists": true}]}`, true},
		{`{"lastStatus": [{"exists": false}]}`, false},
		{`{"absent": [{"exists": false}]}`, true},
		{`{"absent": [{"exists": true}]}`, false},
		{`{"absent": {"deep": [{"exists": false}]}}`, true},
		{`{"empty": [{"exists": false}]}`, true},
		{`{"none": [{"exists": true}]}`, true},
		{`{"group": [{"exists": true}]}`, false}, // leaves only
		{`{"ip": [{"cidr": "10.0.0.0/16"}]}`, true},
		{`{"ip": [{"cidr": "10.1.0.0/16"}]}`, false},
		{`{"ip": [{"cidr": "10.0.1.7"}]}`, true},
		{`{"six": [{"cidr": "2001:db8::/32"}]}`, true},
		{`{"path": [{"cidr": "10.0.0.0/16"}]}`, false},
		{`{"containers": {"exitCode": [7]}}`, true},
		{`{"containers": {"name": ["app"], "exitCode": [7]}}`, false}, // of one element
		{`{"containers": {"name": ["side"], "exitCode": [{"numeric": [">", 0]}]}}`, true},
		{`{"group": {"kind": ["service"]}}`, true},
		{`{"$or": [{"lastStatus": ["RUNNING"]}, {"cpu": [256]}]}`, true},
		{`{"$or": [{"lastStatus": ["RUNNING"]}, {"cpu": [1]}]}`, false},
		{`{"on": [false], "$or": [{"lastStatus": ["STOPPED"]}]}`, false},
	} {
		p, err := ParsePattern(`{"source": ["aws.ecs"], "resources": [{"suffix": ":b"}], "detail": ` + c.detail + `}`)
		if err != nil {
			t.Errorf("%s: %v", c.detail, err)
			continue
		}
		if got := p.Matches(event); got != c.want {
			t.Errorf("%s matches: %v", c.detail, got)
		}
	}
}

func TestAdmits(t *testing.T) {
	for text, want := range map[string]bool{
		`{"detail": {"a": [1]}}`: true, `{"source": ["aws.ecs"], "detail": {"a": [1]}}`: true, `{"source": ["me"]}`: false,
		`{"source": [{"prefix": "aws."}], "detail-type": ["ECS Service Action"]}`: false, `{"$or": [{"source": ["me"]}, {"detail": {"a": [1]}}]}`: true,
	} {
		p, err := ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.Admits("aws.ecs", TaskStateChange) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

func TestBadPatterns(t *testing.T) {
	for text, reason := range map[string]string{
		``:                "one JSON object",
		`{"a": ["x"]} {}`: "one JSON object",
		`["x"]`:           "not an object",
		`{}`:              "Empty objects",
		`{"a": {}}`:       "Empty objects",
		`{"a": []}`:       "Empty arrays",
		`{"a": "x"}`:      `"a" must be an object or an array`,
		`{"a": [["x"]]}`:  "Match value",
		`{"a": [{}]}`:     "Only one key",
		`{"a": [{"prefix": "x", "suffix": "y"}]}`:          "Only one key",
		`{"a": [{"like": "x"}]}`:                           "Unrecognized match type like",
		`{"a": [{"prefix": 1}]}`:                           "prefix match pattern",
		`{"a": [{"exists": "yes"}]}`:                       "exists match pattern",
		`{"a": [{"cidr": "10.0.0.0/33"}]}`:                 "Malformed CIDR",
		`{"a": [{"wildcard": "a**b"}]}`:                    "Consecutive wildcard",
		`{"a": [{"wildcard": "a\\b"}]}`:                    "Invalid escape",
		`{"a": [{"numeric": [">"]}]}`:                      "must be an array",
		`{"a": [{"numeric": ["!", 1]}]}`:                   "range operator",
		`{"a": [{"numeric": [">", "1"]}]}`:                 "must be numeric",
		`{"a": [{"numeric": [">", 6e9]}]}`:                 "between -5.0E9",
		`{"a": [{"numeric": [">", 5, "<", 1]}]}`:           "Bad numeric range",
		`{"a": [{"anything-but": [true]}]}`:                "anything but",
		`{"a": [{"anything-but": []}]}`:                    "Empty arrays",
		`{"a": [{"anything-but": {"numeric": [">", 1]}}]}`: "anything-but pattern",
		`{"$or": ["x"]}`:                                   "array of objects",
	} {
		_, err := ParsePattern(text)
		if !fault.IsKind(err, fault.InvalidEventPattern) || !strings.HasPrefix(err.Error(), "Event pattern is not valid. Reason: ") || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParsePattern(f *testing.F) {
	event, err := Decode([]byte(sample))
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{
		`{"source": ["aws.ecs"]}`, `{"detail": {"cpu": [{"numeric": [">", 0, "<", 5]}]}}`, `{"$or": [{"a": [1]}, {"b": [null]}]}`,
		`{"a": [{"anything-but": {"wildcard": ["*a*", "b"]}}]}`, `{"a": [{"prefix": {"equals-ignore-case": "x"}}, {"exists": false}]}`, `{"a": [{"cidr": "::/0"}]}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePattern(text)
		if (p == nil) == (err == nil) {
			t.Fatal("neither a pattern nor an error, or both")
		}
		if p != nil {
			p.Matches(event)
			p.Matches(nil)
		}
	})
}
