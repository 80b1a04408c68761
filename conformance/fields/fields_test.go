package fields_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// result is what the test has proved, for docs/compatibility.md.
const result = "fields.tsv"

// unknown is how an operation is answered that nothing here handles.
const unknown = "UnknownOperationException"

// TestFields calls all tables by each client.
func TestFields(t *testing.T) {
	tables, err := readTables()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("aws-sdk-go-v2", func(t *testing.T) {
		r := calls(t, newSDK(here.ecs), true, tables)
		if !t.Failed() && only() == "" {
			settle(t, r)
		}
	})
	t.Run("boto3", func(t *testing.T) {
		client, err := startBoto3(t.Context(), python(t), here.Environ())
		if err != nil {
			t.Fatal(err)
		}
		r := calls(t, client, false, tables)
		if err := client.end(); err != nil {
			t.Error(err)
		}
		if !t.Failed() && only() == "" {
			covered(t, r, client)
		}
	})
}

// only is the one table to call, for who writes it.
func only() string { return os.Getenv("FIELDS_TABLE") }

// calls calls all tables, and makes sure that no operation is unknown.
func calls(t *testing.T, c client, whole bool, tables []table) *run {
	states, err := readStates()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{client: c, whole: whole, ledger: newLedger(states), vars: vars(t, whole)}
	for _, tb := range tables {
		if only() != "" && only() != tb.name {
			continue
		}
		t.Run(tb.name, func(t *testing.T) { r.table(t, tb) })
	}
	for name, answer := range r.ledger.called {
		if answer.note == unknown {
			t.Errorf("%s: %s", name, unknown)
		}
	}
	return r
}

// vars are what the tables know from the start.
func vars(t *testing.T, whole bool) map[string]string {
	t.Helper()
	out, err := ec2.NewFromConfig(here.config()).DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}},
	})
	if err != nil || len(out.Subnets) < 2 {
		t.Fatalf("subnets: %v", err)
	}
	groups, err := ec2.NewFromConfig(here.config()).DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupNames: []string{"default"}})
	if err != nil || len(groups.SecurityGroups) == 0 {
		t.Fatalf("security groups: %v", err)
	}
	run := "go"
	if !whole {
		run = "py"
	}
	return map[string]string{
		"run": run, "function": function, "account": *out.Subnets[0].OwnerId, "region": here.Vars["AWS_REGION"],
		"subnet": *out.Subnets[0].SubnetId, "subnet2": *out.Subnets[1].SubnetId, "group": *groups.SecurityGroups[0].GroupId,
	}
}

// settle makes sure that each operation was called with each field, and keeps or
// compares the result.
func settle(t *testing.T, r *run) {
	t.Helper()
	var out bytes.Buffer
	fmt.Fprintln(&out, "# Written by go test . -update: operation, field, state, note, tests. The note of a whole\n# operation that works is how many fields of its answer were checked.")
	for _, o := range operations() {
		request, answer, _ := r.client.knows(o.name)
		how, called := r.ledger.called[o.name]
		switch {
		case !called:
			t.Errorf("%s is never called", o.name)
			continue
		case how.state == works:
			how.note = r.ledger.answered(o.name, answer)
		}
		fmt.Fprint(&out, row{o.name, ".", how})
		rows, missing := r.ledger.rows(o.name, request)
		if gateway(o.name) {
			continue // refused whole
		}
		for _, m := range missing {
			t.Error(m)
		}
		for _, row := range rows {
			fmt.Fprint(&out, row)
		}
	}
	for _, line := range r.ledger.states.unused() {
		t.Errorf("states.txt: %s is of no field", line)
	}
	if !t.Failed() {
		keep(t, out.Bytes())
	}
}

// gateway tells of the operations of ECS's gateways, which are refused.
func gateway(operation string) bool {
	return strings.Contains(operation, "Gateway") && !strings.Contains(operation, "ExpressGateway")
}

func keep(t *testing.T, have []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(result, have, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want, err := os.ReadFile(result); err != nil || !bytes.Equal(want, have) {
		t.Errorf("%s is not what this test proves (%v): go test . -update", result, err)
	}
}

// covered makes sure that boto3 sent all fields that its model has.
func covered(t *testing.T, r *run, b *boto3) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(b.model)) {
		if gateway(name) {
			continue
		}
		request, _, _ := b.knows(name)
		_, missing := r.ledger.rows(name, request)
		for _, m := range missing {
			t.Error(m)
		}
	}
	newer := 0
	for _, o := range operations() {
		request, _, known := b.knows(o.name)
		if !known {
			continue
		}
		for _, field := range leaves(o.in) {
			if !request[field] {
				newer++
			}
		}
	}
	t.Logf("botocore %s; %d fields of the newer Go client were not sent by it", b.version, newer)
}

// python has boto3: the machine's, when it is new enough to know daemons, or one of a
// virtual environment made for this.
func python(t *testing.T) string {
	t.Helper()
	if exec.Command("python3", "-c", "import boto3; boto3.client('ecs', region_name='us-east-1').create_daemon").Run() == nil {
		return "python3"
	}
	dir := t.TempDir()
	for _, words := range [][]string{{"python3", "-m", "venv", dir}, {filepath.Join(dir, "bin/pip"), "install", "-q", "boto3"}} {
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no boto3, and none to be had: %s: %v: %s", strings.Join(words, " "), err, out)
		}
	}
	return filepath.Join(dir, "bin/python3")
}
