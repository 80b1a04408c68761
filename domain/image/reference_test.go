package image

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/arn"
)

const someDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestParseReference(t *testing.T) {
	for in, want := range map[string]Reference{
		"busybox":                         {Path: "busybox"},
		"busybox:1.36":                    {Path: "busybox", Tag: "1.36"},
		"team/app:v1":                     {Path: "team/app", Tag: "v1"},
		"localhost/app":                   {Host: "localhost", Path: "app"},
		"localhost:5000/app:v1":           {Host: "localhost:5000", Path: "app", Tag: "v1"},
		"ghcr.io/x/y@" + someDigest:       {Host: "ghcr.io", Path: "x/y", Digest: someDigest},
		"ghcr.io/x/y:v2@" + someDigest:    {Host: "ghcr.io", Path: "x/y", Tag: "v2", Digest: someDigest},
		"127.0.0.1:4566/000000000000/web": {Host: "127.0.0.1:4566", Path: "000000000000/web"},
		"[::1]:4566/000000000000/web":     {Host: "[::1]:4566", Path: "000000000000/web"},
	} {
		got, err := ParseReference(in)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", in, got, err)
		}
		if got.String() != in {
			t.Errorf("%s came back as %s", in, got)
		}
	}
}

func TestParseReferenceRefuses(t *testing.T) {
	for in, quoted := range map[string]string{
		"":                              "empty",
		"Busybox":                       `"Busybox" is not a repository name`,
		"app:":                          `"" is not a tag`,
		"app:a b":                       `"a b" is not a tag`,
		"app@sha256:12":                 `"sha256:12" is not a sha256 digest`,
		"a..b/c":                        `"a..b" is not a registry host`,
		"-x":                            `"-x" is not a repository name`,
		"ghcr.io/":                      `"" is not a repository name`,
		"x/" + strings.Repeat("a", 255): "is not a repository name",
	} {
		if _, err := ParseReference(in); err == nil || !strings.Contains(err.Error(), quoted) {
			t.Errorf("%q: got %v, want mention of %s", in, err, quoted)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	f.Add("ghcr.io/x/y:v2@" + someDigest)
	f.Add("localhost:5000/app")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseReference(s)
		if err == nil && r.String() != s {
			t.Errorf("%q came back as %q", s, r)
		}
	})
}

func TestResolve(t *testing.T) {
	r := Resolver{Scope: arn.Scope{Account: "000000000000", Region: "us-east-1"}, Hosts: []string{"127.0.0.1:4566"}}
	for in, want := range map[string]string{
		"digits":               "berth/loaded/000000000000/docker.io/library/digits:latest docker.io/library/digits:latest",
		"team/app:v1":          "berth/loaded/000000000000/docker.io/team/app:v1 docker.io/team/app:v1",
		"ghcr.io/x/y:1":        "berth/loaded/000000000000/ghcr.io/x/y:1 ghcr.io/x/y:1",
		"x@" + someDigest:      "berth/loaded/000000000000/docker.io/library/x@" + someDigest + " docker.io/library/x@" + someDigest,
		"localhost:5000/app":   "berth/loaded/000000000000/localhost__5000/app:latest localhost:5000/app:latest",
		"[::1]:5000/app":       "[::1]:5000/app:latest",
		"public.ecr.aws/a/b:1": "berth/loaded/000000000000/public.ecr.aws/a/b:1 public.ecr.aws/a/b:1",
		"000000000000.dkr.ecr.us-east-1.amazonaws.com/web:v1":     "berth/000000000000/us-east-1/web:v1 berth/loaded/000000000000/000000000000.dkr.ecr.us-east-1.amazonaws.com/web:v1",
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web":   "berth/123456789012/eu-west-1/team/web:latest berth/loaded/000000000000/123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web:latest",
		"123456789012.dkr-ecr.eu-west-1.on.aws/web":               "berth/123456789012/eu-west-1/web:latest berth/loaded/000000000000/123456789012.dkr-ecr.eu-west-1.on.aws/web:latest",
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/web":    "berth/123456789012/cn-north-1/web:latest berth/loaded/000000000000/123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/web:latest",
		"123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/web:1": "berth/123456789012/us-east-1/web:1 berth/loaded/000000000000/123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/web:1",
		"127.0.0.1:4566/000000000000/web:v1":                      "berth/000000000000/us-east-1/web:v1 berth/loaded/000000000000/127.0.0.1__4566/000000000000/web:v1",
		"127.0.0.1:4566/000000000000/eu-west-1/web":               "berth/000000000000/eu-west-1/web:latest berth/loaded/000000000000/127.0.0.1__4566/000000000000/eu-west-1/web:latest",
	} {
		ref, err := ParseReference(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		var got []string
		for _, s := range r.Resolve(ref) {
			got = append(got, s.String())
			if s.Why == "" {
				t.Errorf("%s: %s does not say why", in, s)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s\n got %v\nwant %s", in, got, want)
		}
	}
}

// Two repositories never share a path, and every path leads back to its place.
func TestPathsLeadBack(t *testing.T) {
	component := rapid.SampledFrom([]string{"web", "us-east-1", "eu-west-2", "loaded", "000000000000", "a.b", "x"})
	rapid.Check(t, func(t *rapid.T) {
		home := rapid.SampledFrom([]string{"us-east-1", "eu-west-2"}).Draw(t, "home")
		p := RepositoryPlace(arn.Scope{
			Account: rapid.SampledFrom([]string{"000000000000", "123456789012"}).Draw(t, "account"),
			Region:  rapid.SampledFrom([]string{"us-east-1", "eu-west-2", "us-gov-west-1"}).Draw(t, "region"),
		}, strings.Join(rapid.SliceOfN(component, 1, 4).Draw(t, "name"), "/"))
		for _, path := range []string{p.Path(), p.PublicPath(home)} {
			if back, ok := ParsePath(path, home); !ok || back != p {
				t.Fatalf("%+v is written %s, which reads as %+v", p, path, back)
			}
		}
	})
}

func TestParsePathRefuses(t *testing.T) {
	for _, path := range []string{"", "web", "loaded", "loaded/000000000000", "loaded/x/y", "000000000000", "12/web", "000000000000/Web"} {
		if p, ok := ParsePath(path, "us-east-1"); ok {
			t.Errorf("%q read as %+v", path, p)
		}
	}
}

func TestImmutableTags(t *testing.T) {
	for _, c := range []struct {
		mutability Mutability
		exclusions []string
		tag        string
		want       bool
	}{
		{Mutable, nil, "v1", false},
		{Immutable, nil, "v1", true},
		{ImmutableWithExclusion, []string{"latest", "dev-*"}, "dev-7", false},
		{ImmutableWithExclusion, []string{"latest", "dev-*"}, "v1", true},
		{MutableWithExclusion, []string{"*.*.*"}, "1.2.3", true},
		{MutableWithExclusion, []string{"*.*.*"}, "1.2", false},
		{"", nil, "v1", false},
	} {
		r := Repository{Mutability: c.mutability, Exclusions: c.exclusions}
		if got := r.TagIsImmutable(c.tag); got != c.want {
			t.Errorf("%s %v %s: got %v", c.mutability, c.exclusions, c.tag, got)
		}
	}
}
