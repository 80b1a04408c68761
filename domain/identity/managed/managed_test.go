package managed

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/identity"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func all(t *testing.T) []identity.ManagedPolicy {
	t.Helper()
	list, err := Policies(noon)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEveryPolicyIsWhole(t *testing.T) {
	files, err := policies.ReadDir("policies")
	if err != nil || len(files) != len(table()) {
		t.Errorf("%d files for %d policies, %v", len(files), len(table()), err)
	}
	ids := map[string]bool{}
	for _, p := range all(t) {
		var document struct {
			Version   string
			Statement []struct{ Effect string }
		}
		if err := json.Unmarshal([]byte(p.Document()), &document); err != nil || document.Version != "2012-10-17" || len(document.Statement) == 0 {
			t.Errorf("%s: %v, %+v", p.Name, err, document)
		}
		if len(p.ID) != 21 || ids[p.ID] || !strings.HasSuffix(p.ARN, p.Path+p.Name) || p.Description == "" {
			t.Errorf("%+v", p)
		}
		ids[p.ID] = true
	}
}

func TestStacksFindTheirPolicies(t *testing.T) {
	list := all(t)
	for _, name := range []string{
		"service-role/AmazonECSTaskExecutionRolePolicy", "service-role/AmazonEC2ContainerServiceforEC2Role", "AmazonECS_FullAccess",
		"AmazonSSMManagedInstanceCore", "AmazonElasticFileSystemClientReadWriteAccess", "CloudWatchLogsFullAccess",
		"aws-service-role/AmazonECSServiceRolePolicy", "service-role/AmazonECSInfrastructureRoleforExpressGatewayServices",
	} {
		if !slices.ContainsFunc(list, func(p identity.ManagedPolicy) bool { return p.ARN == ARN(name) }) {
			t.Errorf("no %s", ARN(name))
		}
	}
}

func TestRenewedTextIsANewVersion(t *testing.T) {
	have := all(t)[0]
	if got := Renewed(&have, &all(t)[0], noon); got != &have {
		t.Errorf("nothing changed, yet %+v", got)
	}
	kept := &have
	for range 7 {
		other := have
		other.Versions = []identity.PolicyVersion{{ID: "v1", Document: `{"Statement":[` + strings.Repeat(" ", kept.NextVersion) + `]}`}}
		kept = Renewed(kept, &other, noon.Add(time.Hour))
	}
	if kept.Default != "v8" || kept.NextVersion != 9 || len(kept.Versions) != mostVersions || kept.Document() == have.Document() || kept.CreatedAt != noon {
		t.Errorf("%+v", kept)
	}
}
