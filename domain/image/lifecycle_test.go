package image

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// stored makes an image of "DIGEST AGE-IN-DAYS TAG...".
func stored(line string) Stored {
	fields := strings.Fields(line)
	var days int
	if _, err := fmt.Sscan(fields[1], &days); err != nil {
		panic(err)
	}
	return Stored{Digest: fields[0], PushedAt: noon.AddDate(0, 0, -days), Tags: fields[2:]}
}

func rule(priority int, selection string) string {
	return fmt.Sprintf(`{"rulePriority":%d,"selection":{%s},"action":{"type":"expire"}}`, priority, selection)
}

func policy(rules ...string) string { return `{"rules":[` + strings.Join(rules, ",") + `]}` }

func TestExpired(t *testing.T) {
	const (
		untaggedOld = `"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14`
		prodCount   = `"tagStatus":"tagged","tagPrefixList":["prod"],"countType":"imageCountMoreThan","countNumber":1`
		anyCount    = `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":2`
	)
	for _, c := range []struct {
		name   string
		policy string
		images []string
		want   string
	}{
		{"untagged and old", policy(rule(1, untaggedOld)), []string{"a 20", "b 10", "c 20 v1"}, "a:1"},
		{"exactly the age stays", policy(rule(1, untaggedOld)), []string{"a 14", "b 15"}, "b:1"},
		{"more than a count", policy(rule(1, anyCount)), []string{"a 1", "b 2 v1", "c 3", "d 4"}, "d:1 c:1"},
		{"all prefixes must be met", policy(rule(1, `"tagStatus":"tagged","tagPrefixList":["prod","web"],"countType":"imageCountMoreThan","countNumber":1`)),
			[]string{"a 1 prod1 web1", "b 2 prod2 web2", "c 3 prod3"}, "b:1"},
		{"patterns", policy(rule(1, `"tagStatus":"tagged","tagPatternList":["v*-rc*"],"countType":"imageCountMoreThan","countNumber":1`)),
			[]string{"a 1 v1-rc1", "b 2 v1-rc2", "c 3 v1"}, "b:1"},
		{"a higher rule keeps what it selects", policy(rule(1, prodCount), rule(2, anyCount)),
			[]string{"a 9 prod1", "b 1", "c 2", "d 3"}, "d:2"},
		{"lower rules count what higher ones end", policy(rule(1, prodCount), rule(2, anyCount)),
			[]string{"a 1 prod1", "b 2 prod2", "c 3"}, "c:2 b:1"},
		{"rules need not be written in order", policy(rule(2, anyCount), rule(1, prodCount)),
			[]string{"a 1 prod1", "b 2 prod2", "c 3"}, "c:2 b:1"},
		{"pull times are not known", policy(rule(1, `"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":1`)), []string{"a 99"}, ""},
	} {
		p, err := ParsePolicy(c.policy)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var images []Stored
		for _, line := range c.images {
			images = append(images, stored(line))
		}
		var got []string
		for _, e := range p.Expired(images, noon) {
			got = append(got, fmt.Sprintf("%s:%d", e.Image.Digest, e.Priority))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: expired %v, want %s", c.name, got, c.want)
		}
	}
}

func TestImagesOfAnIndexStayWithIt(t *testing.T) {
	p, err := ParsePolicy(policy(rule(1, `"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":1`)))
	if err != nil {
		t.Fatal(err)
	}
	inner, outer := stored("inner 9"), stored("outer 9 v1")
	inner.Children, outer.Children = []string{"leaf"}, []string{"inner"}
	got := p.Expired([]Stored{stored("leaf 9"), stored("alone 9"), inner, outer}, noon)
	if len(got) != 1 || got[0].Image.Digest != "alone" {
		t.Errorf("expired %+v", got)
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	good := `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1`
	for text, says := range map[string]string{
		`{`:                                  "could not parse",
		`{}`:                                 "no rules",
		policy(rule(0, good)):                "rulePriority must be 1 or more",
		policy(rule(1, good), rule(1, good)): "rule with priority 1: a rule with tagStatus any",
		policy(rule(1, good), rule(2, strings.Replace(good, "any", "untagged", 1))):                                              "must have the lowest priority",
		policy(rule(1, strings.Replace(good, "any", "tagged", 1))):                                                               "needs a tagPatternList",
		policy(rule(1, strings.Replace(good, "any", "some", 1))):                                                                 "tagStatus must be",
		policy(rule(1, `"tagPrefixList":["a"],`+good)):                                                                           "cannot have a tagPatternList",
		policy(rule(1, `"countUnit":"days",`+good)):                                                                              "countUnit cannot be used",
		policy(rule(1, strings.Replace(good, "imageCountMoreThan", "sinceImagePushed", 1))):                                      "countUnit must be days",
		policy(rule(1, strings.Replace(good, `"countNumber":1`, `"countNumber":0`, 1))):                                          "countNumber must be 1 or more",
		policy(rule(1, strings.Replace(good, "imageCountMoreThan", "never", 1))):                                                 `countType "never"`,
		strings.Replace(policy(rule(1, good)), `"expire"`, `"burn"`, 1):                                                          "action type must be expire",
		policy(rule(1, `"tagStatus":"tagged","tagPatternList":["*a*b*c*d*e"],"countType":"imageCountMoreThan","countNumber":1`)): "more than four wildcards",
	} {
		if _, err := ParsePolicy(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want mention of %q", text, err, says)
		}
	}
}

// A count rule over everything leaves exactly the youngest, and nothing is ended
// twice.
func TestCountLeavesTheYoungest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keep := rapid.IntRange(1, 5).Draw(t, "keep")
		ages := rapid.SliceOfNDistinct(rapid.IntRange(0, 100), 0, 12, rapid.ID[int]).Draw(t, "ages")
		var images []Stored
		for i, age := range ages {
			images = append(images, stored(fmt.Sprintf("d%d %d", i, age)))
		}
		p, err := ParsePolicy(policy(rule(1, fmt.Sprintf(`"tagStatus":"any","countType":"imageCountMoreThan","countNumber":%d`, keep))))
		if err != nil {
			t.Fatal(err)
		}
		expired := p.Expired(images, noon)
		if want := max(0, len(images)-keep); len(expired) != want {
			t.Fatalf("%d of %d expired, want %d", len(expired), len(images), want)
		}
		gone := map[string]bool{}
		oldest := noon.AddDate(-1, 0, 0)
		for _, e := range expired {
			gone[e.Image.Digest] = true
			if e.Image.PushedAt.After(oldest) {
				oldest = e.Image.PushedAt
			}
		}
		for _, img := range images {
			if !gone[img.Digest] && !img.PushedAt.After(oldest) {
				t.Fatalf("%+v stays although younger ones went", img)
			}
		}
	})
}
