package metadata_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/metadata"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

const imds = "http://169.254.169.254"

func anInstance(cfg *metadata.Config) {
	cfg.Instance = &metadata.Instance{
		Account: "000000000000", Region: "us-east-1", Zone: "us-east-1a", ZoneID: "use1-az1", ID: "i-0123", Type: "m5.large", ImageID: "ami-1",
		Hostname: "ip-172-31-0-4.ec2.internal", LocalIP: "172.31.0.4", MAC: "02:00:00:00:00:01", VPCID: "vpc-1", SubnetID: "subnet-1",
		LaunchedAt: noon(), Architecture: "x86_64",
		Session: func() (metadata.RoleSession, bool) {
			return metadata.RoleSession{Profile: "arn:aws:iam::000000000000:instance-profile/ecsInstanceRole", Keys: &task.Credentials{
				RoleARN: "arn:aws:iam::000000000000:role/ecsInstanceRole", AccessKeyID: "ASIA2", SecretAccessKey: "s", SessionToken: "t", Expiration: noon().Add(time.Hour),
			}}, true
		},
	}
}

func token(t *testing.T, c *http.Client) string {
	t.Helper()
	status, token := send(c, http.MethodPut, imds+"/latest/api/token", "", "X-aws-ec2-metadata-token-ttl-seconds", "60")
	if status != http.StatusOK {
		t.Fatalf("token: got %d %s", status, token)
	}
	return token
}

func TestInstanceMetadata(t *testing.T) {
	w := newWorld(t, anInstance)
	for _, o := range []*task.Order{awsvpc("172.31.0.5"), bridge()} {
		c := w.run(t, o, "app")[0].client()
		key := token(t, c)
		for path, want := range map[string]string{
			"/latest/meta-data/instance-id": "i-0123", "/2021-07-15/meta-data/placement/region": "us-east-1",
			"/latest/meta-data/iam/security-credentials/":                        "ecsInstanceRole",
			"/latest/meta-data/placement/":                                       "availability-zone\navailability-zone-id\nregion",
			"/latest/meta-data/network/interfaces/macs/":                         "02:00:00:00:00:01/",
			"/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/vpc-id": "vpc-1",
			"/latest":                            "dynamic/\nmeta-data/",
			"/latest/dynamic/instance-identity/": "document",
		} {
			if status, body := get(c, imds+path, "X-aws-ec2-metadata-token", key); status != http.StatusOK || body != want {
				t.Errorf("%s: got %d %q, want %q", path, status, body, want)
			}
		}
		_, body := get(c, imds+"/latest/meta-data/iam/security-credentials/ecsInstanceRole", "X-aws-ec2-metadata-token", key)
		same(t, body, `{"Code":"Success","LastUpdated":"2026-11-24T12:00:00Z","Type":"AWS-HMAC","AccessKeyId":"ASIA2","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-24T13:00:00Z"}`)
		_, body = get(c, imds+"/latest/dynamic/instance-identity/document", "X-aws-ec2-metadata-token", key)
		same(t, body, `{"accountId":"000000000000","architecture":"x86_64","availabilityZone":"us-east-1a","imageId":"ami-1","instanceId":"i-0123",
			"instanceType":"m5.large","pendingTime":"2026-11-24T12:00:00Z","privateIp":"172.31.0.4","region":"us-east-1","version":"2017-09-30"}`)
		if status, _ := get(c, imds+"/latest/user-data", "X-aws-ec2-metadata-token", key); status != http.StatusNotFound {
			t.Errorf("user-data: got %d", status)
		}
	}
}

func TestInstanceMetadataWantsAToken(t *testing.T) {
	now := noon()
	w := newWorld(t, func(cfg *metadata.Config) { anInstance(cfg); cfg.Now = func() time.Time { return now } })
	a, b := w.run(t, bridge(), "app")[0].client(), w.run(t, bridge(), "app")[0].client()
	key := token(t, a)
	const id = imds + "/latest/meta-data/instance-id"
	for name, c := range map[string]struct {
		client *http.Client
		token  string
	}{"no token": {a, ""}, "nonsense": {a, "AAAA"}, "a neighbour's": {b, key}} {
		if status, body := get(c.client, id, "X-aws-ec2-metadata-token", c.token); status != http.StatusUnauthorized {
			t.Errorf("%s: got %d %s", name, status, body)
		}
	}
	const ttl = "X-aws-ec2-metadata-token-ttl-seconds"
	for name, c := range map[string]struct {
		want    int
		headers []string
	}{"no lifetime": {400, nil}, "too long": {400, []string{ttl, "21601"}}, "zero": {400, []string{ttl, "0"}}, "proxied": {403, []string{ttl, "60", "X-Forwarded-For", "192.0.2.1"}}} {
		if status, body := send(a, http.MethodPut, imds+"/latest/api/token", "", c.headers...); status != c.want {
			t.Errorf("%s: got %d %s", name, status, body)
		}
	}
	if status, _ := get(a, id, "X-aws-ec2-metadata-token", key); status != http.StatusOK {
		t.Errorf("got %d", status)
	}
	now = now.Add(time.Minute)
	if status, _ := get(a, id, "X-aws-ec2-metadata-token", key); status != http.StatusUnauthorized {
		t.Errorf("an old token: got %d", status)
	}
}

func TestInstanceMetadataIsClosedToFargateAndOnDemand(t *testing.T) {
	closed := newWorld(t, func(cfg *metadata.Config) { anInstance(cfg); cfg.Instance.ClosedToTasks = true })
	open := newWorld(t, anInstance)
	fargate := awsvpc("172.31.0.5")
	fargate.LaunchType = workload.Fargate
	none := newWorld(t, nil)
	for name, in := range map[string]inside{
		"Fargate": open.run(t, fargate, "app")[0], "closed": closed.run(t, awsvpc("172.31.0.5"), "app")[0], "no instance": none.run(t, bridge(), "app")[0],
	} {
		if status, body := send(in.client(), http.MethodPut, imds+"/latest/api/token", "", "X-aws-ec2-metadata-token-ttl-seconds", "60"); status != -1 {
			t.Errorf("%s: got %d %s", name, status, body)
		}
		if status, _ := get(in.client(), url(in, "/v4/ID")); status != http.StatusOK {
			t.Errorf("%s: its own metadata: got %d", name, status)
		}
	}
	if got := token(t, closed.run(t, bridge(), "app")[0].client()); strings.TrimSpace(got) == "" {
		t.Error("bridge mode got no token")
	}
}

// TestTheHopLimitKeepsTasksAway gives tokens to the instance and host mode tasks
// alone when the limit is 1.
func TestTheHopLimitKeepsTasksAway(t *testing.T) {
	for limit, want := range map[int]int{1: -1, 2: http.StatusOK} {
		w := newWorld(t, func(cfg *metadata.Config) { anInstance(cfg); cfg.Instance.HopLimit = limit })
		for _, o := range []*task.Order{awsvpc("172.31.0.5"), bridge()} {
			c := w.run(t, o, "app")[0].client()
			if status, body := send(c, http.MethodPut, imds+"/latest/api/token", "", "X-aws-ec2-metadata-token-ttl-seconds", "60"); status != want {
				t.Errorf("%d hops, %s: got %d %s", limit, o.NetworkMode, status, body)
			}
		}
		l, err := metadata.ListenLoopback(t.Context(), t.TempDir()+"/port", 0)
		check(t, err)
		served := metadata.New(w.cfg).ServeHost(metadata.Host{Instance: l})
		status, _ := send(http.DefaultClient, http.MethodPut, "http://"+l.Addr().String()+"/latest/api/token", "", "X-aws-ec2-metadata-token-ttl-seconds", "60")
		if status != http.StatusOK {
			t.Errorf("%d hops, host: got %d", limit, status)
		}
		check(t, served.Close())
	}
}

// TestARoleThatIsGoneIsNotShown ends with the role's session.
func TestARoleThatIsGoneIsNotShown(t *testing.T) {
	gone := false
	w := newWorld(t, func(cfg *metadata.Config) {
		anInstance(cfg)
		had := cfg.Instance.Session
		cfg.Instance.Session = func() (metadata.RoleSession, bool) { s, _ := had(); return s, !gone }
	})
	c := w.run(t, bridge(), "app")[0].client()
	key := token(t, c)
	paths := []string{"/latest/meta-data/iam/info", "/latest/meta-data/iam/security-credentials/ecsInstanceRole"}
	for _, path := range paths {
		if status, _ := get(c, imds+path, "X-aws-ec2-metadata-token", key); status != http.StatusOK {
			t.Errorf("%s: got %d", path, status)
		}
	}
	gone = true
	for _, path := range paths {
		if status, body := get(c, imds+path, "X-aws-ec2-metadata-token", key); status != http.StatusNotFound {
			t.Errorf("%s: got %d %s", path, status, body)
		}
	}
}

// TestTheSignedIdentityIsShownAsItWasSigned never makes a document anew that has a
// signature.
func TestTheSignedIdentityIsShownAsItWasSigned(t *testing.T) {
	w := newWorld(t, func(cfg *metadata.Config) {
		anInstance(cfg)
		cfg.Instance.Identity = metadata.Identity{Document: "{ \"as\": \"signed\" }", Signature: "c2ln", PKCS7: "cDc=", RSA2048: "cnNh"}
	})
	c := w.run(t, bridge(), "app")[0].client()
	key := token(t, c)
	for name, want := range map[string]string{"": "document\npkcs7\nrsa2048\nsignature", "document": "{ \"as\": \"signed\" }", "signature": "c2ln", "pkcs7": "cDc=", "rsa2048": "cnNh"} {
		if _, body := get(c, imds+"/latest/dynamic/instance-identity/"+name, "X-aws-ec2-metadata-token", key); body != want {
			t.Errorf("%s: %q", name, body)
		}
	}
}
