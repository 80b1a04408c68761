package metadata

import (
	"cmp"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// Instance is what 169.254.169.254 tells of the machine. Fargate tasks never see
// it. Empty fields are left out.
type Instance struct {
	Account, Region, Zone, ZoneID string
	ID, Type, ImageID             string
	Hostname, LocalIP, MAC        string
	VPCID, SubnetID, SubnetCIDR   string
	VPCCIDR, InterfaceID          string
	SecurityGroups                []string
	LaunchedAt                    time.Time
	Architecture                  string // x86_64 or arm64

	// Session is the session of the instance profile's role now; ok is false while
	// there is none. nil without a role.
	Session func() (s RoleSession, ok bool)
	// Identity is the signed identity document; the zero value when nobody signed
	// one, and the document is made from the fields above.
	Identity Identity

	// HopLimit is how many hops the answer to a request for a token goes: with 1,
	// AWS's own default, it reaches the instance and host mode tasks alone.
	HopLimit int
	// ClosedToTasks keeps every task with an interface of its own from it, as
	// ECS_AWSVPC_BLOCK_IMDS does.
	ClosedToTasks bool
}

// RoleSession are keys of the role of an instance profile.
type RoleSession struct {
	Profile string // ARN
	Keys    *task.Credentials
}

// Identity says which machine this is, and proves it. All but Document are base64.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html
type Identity struct {
	Document  string
	Signature string // RSA with SHA-256
	PKCS7     string
	RSA2048   string // PKCS#7 with SHA-256
}

const (
	tokenHeader = "X-aws-ec2-metadata-token"
	ttlHeader   = tokenHeader + "-ttl-seconds"
)

func (s *Server) serveInstance(w http.ResponseWriter, r *http.Request) {
	if s.closedTo(r) {
		hangUp(w)
		return
	}
	if !s.limits.allow(caller(r)) {
		http.Error(w, "Too many requests", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Server", "EC2ws")
	switch {
	case r.URL.Path == "/latest/api/token" && s.tooFar(r):
		hangUp(w)
	case r.URL.Path == "/latest/api/token":
		s.issueToken(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
	case !s.tokens.valid(caller(r), r.Header.Get(tokenHeader)):
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
	default:
		s.showInstance(w, r)
	}
}

// closedTo tells whether the instance's metadata is none of the caller's business.
func (s *Server) closedTo(r *http.Request) bool {
	who := caller(r)
	if who.Task == "" {
		return false // host mode shares the instance's network
	}
	t, ok := s.cfg.Tasks.Task(who.Task)
	if !ok || t.Order.LaunchType == workload.Fargate {
		return true
	}
	return s.cfg.Instance.ClosedToTasks && t.Order.NetworkMode == workload.AWSVPC
}

// tooFar tells whether the caller is behind one hop more than the answer may go.
func (s *Server) tooFar(r *http.Request) bool {
	return caller(r).Task != "" && s.cfg.Instance.HopLimit == 1
}

// hangUp ends the connection as if nobody listened.
func hangUp(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		conn.Close()
	}
}

func (s *Server) issueToken(w http.ResponseWriter, r *http.Request) {
	ttl, err := strconv.Atoi(r.Header.Get(ttlHeader))
	switch {
	case r.Method != http.MethodPut:
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
	case r.Header.Get("X-Forwarded-For") != "": // a proxy open to the world
		http.Error(w, "Forbidden", http.StatusForbidden)
	case err != nil || ttl < minTokenTTL || ttl > maxTokenTTL:
		http.Error(w, "Bad Request", http.StatusBadRequest)
	default:
		w.Header().Set(ttlHeader, strconv.Itoa(ttl))
		_, _ = w.Write([]byte(s.tokens.issue(caller(r), time.Duration(ttl)*time.Second)))
	}
}

func (s *Server) showInstance(w http.ResponseWriter, r *http.Request) {
	path, ok := withoutVersion(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	tree := s.cfg.Instance.tree()
	s.cfg.Instance.secrets(tree, s.cfg.Now())
	if content, ok := look(tree, path); ok {
		_, _ = w.Write([]byte(content))
		return
	}
	http.NotFound(w, r)
}

// withoutVersion takes the version off a path: "latest", or a date.
func withoutVersion(path string) (string, bool) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	_, notDated := time.Parse(time.DateOnly, first)
	return rest, first == "latest" || first == "1.0" || notDated == nil
}

// look finds a leaf, or lists a folder as the real one does: names, folders with
// a slash behind.
func look(tree map[string]string, path string) (string, bool) {
	if content, ok := tree[strings.TrimSuffix(path, "/")]; ok {
		return content, true
	}
	folder := strings.TrimSuffix(path, "/") + "/"
	if folder == "/" {
		folder = ""
	}
	names := map[string]bool{}
	for p := range tree {
		if rest, below := strings.CutPrefix(p, folder); below {
			name, _, deeper := strings.Cut(rest, "/")
			if deeper {
				name += "/"
			}
			names[name] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), "\n"), len(names) > 0
}

const identityPath = "dynamic/instance-identity/"

// tree is all metadata that is no secret, by path.
func (i *Instance) tree() map[string]string {
	mac := "meta-data/network/interfaces/macs/" + i.MAC + "/"
	tree := map[string]string{
		"meta-data/instance-id": i.ID, "meta-data/instance-type": i.Type, "meta-data/ami-id": i.ImageID,
		"meta-data/hostname": i.Hostname, "meta-data/local-hostname": i.Hostname, "meta-data/local-ipv4": i.LocalIP, "meta-data/mac": i.MAC,
		"meta-data/placement/region": i.Region, "meta-data/placement/availability-zone": i.Zone, "meta-data/placement/availability-zone-id": i.ZoneID,
		"meta-data/services/domain": "amazonaws.com", "meta-data/services/partition": arn.Partition(i.Region),
		"meta-data/ami-launch-index": "0", "meta-data/instance-life-cycle": "on-demand", "meta-data/instance-action": "none",
		"meta-data/security-groups": strings.Join(i.SecurityGroups, "\n"),
		mac + "mac":                 i.MAC, mac + "vpc-id": i.VPCID, mac + "subnet-id": i.SubnetID, mac + "local-ipv4s": i.LocalIP,
		mac + "subnet-ipv4-cidr-block": i.SubnetCIDR, mac + "vpc-ipv4-cidr-block": i.VPCCIDR, mac + "interface-id": i.InterfaceID,
		mac + "owner-id": i.Account, mac + "device-number": "0", mac + "local-hostname": i.Hostname,
		identityPath + "document": cmp.Or(i.Identity.Document, i.document()), identityPath + "signature": i.Identity.Signature,
		identityPath + "pkcs7": i.Identity.PKCS7, identityPath + "rsa2048": i.Identity.RSA2048,
	}
	maps.DeleteFunc(tree, func(path, content string) bool { return content == "" || i.MAC == "" && strings.HasPrefix(path, mac) })
	return tree
}

// secrets adds the role and its keys.
func (i *Instance) secrets(tree map[string]string, now time.Time) {
	if i.Session == nil {
		return
	}
	role, ok := i.Session()
	if !ok {
		return
	}
	c := role.Keys
	stamp := now.UTC().Format(expirationFormat)
	tree["meta-data/iam/info"] = indented(struct{ Code, LastUpdated, InstanceProfileArn string }{"Success", stamp, role.Profile})
	tree["meta-data/iam/security-credentials/"+arn.NameOf(c.RoleARN)] = indented(struct {
		Code, LastUpdated, Type, AccessKeyId, SecretAccessKey, Token, Expiration string //nolint:revive // the wire's names
	}{"Success", stamp, "AWS-HMAC", c.AccessKeyID, c.SecretAccessKey, c.SessionToken, c.Expiration.UTC().Format(expirationFormat)})
}

// document is the instance identity document of a machine that has none signed.
func (i *Instance) document() string {
	return indented(struct {
		AccountID        string `json:"accountId"`
		Architecture     string `json:"architecture"`
		AvailabilityZone string `json:"availabilityZone"`
		ImageID          string `json:"imageId"`
		InstanceID       string `json:"instanceId"`
		InstanceType     string `json:"instanceType"`
		PendingTime      string `json:"pendingTime"`
		PrivateIP        string `json:"privateIp"`
		Region           string `json:"region"`
		Version          string `json:"version"`
	}{i.Account, i.Architecture, i.Zone, i.ImageID, i.ID, i.Type, i.LaunchedAt.UTC().Format(expirationFormat), i.LocalIP, i.Region, "2017-09-30"})
}

func indented(v any) string {
	b, _ := json.MarshalIndent(v, "", "  ") // plain strings only
	return string(b)
}

// domainOf is what follows the first label of a name.
func domainOf(name string) string {
	_, domain, _ := strings.Cut(name, ".")
	return domain
}
