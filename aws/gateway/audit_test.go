package gateway_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/shape/kms"
	"github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/protocol/trail"
)

func TestAuditTellsWhoDidWhat(t *testing.T) {
	s := serve(t, map[string]gateway.Handler{
		"CreateCluster": gateway.Handle(func(context.Context, *gateway.Call, *ecs.CreateClusterRequest) (*ecs.CreateClusterResponse, error) {
			return nil, nil
		}),
		"DeleteCluster": gateway.Handle(func(context.Context, *gateway.Call, *ecs.DeleteClusterRequest) (*ecs.DeleteClusterResponse, error) {
			return nil, fault.New(fault.ClusterNotFound, "Cluster not found.")
		}),
		"ListClusters": gateway.Handle(func(context.Context, *gateway.Call, *ecs.ListClustersRequest) (*ecs.ListClustersResponse, error) {
			return nil, nil
		}),
	}, nil)
	answers := []answer{
		do(t, request(t, s, "CreateCluster", `{"clusterName":"lab"}`)),
		do(t, request(t, s, "DeleteCluster", `{"cluster":"lab"}`)),
		do(t, request(t, s, "ListClusters", `{"maxResults":3}`)),
	}
	record := func(operation string) trail.Record {
		return trail.Record{
			EventVersion: "1.11", EventSource: "ecs.amazonaws.com", EventName: operation, AWSRegion: "us-west-2", SourceIPAddress: "127.0.0.1",
			UserAgent: "Go-http-client/1.1", EventType: "AwsApiCall", ManagementEvent: true, RecipientAccount: "123456789012", EventCategory: "Management",
			UserIdentity: trail.Identity{
				Type: "Root", PrincipalID: "123456789012", ARN: s.Root.Principal.ARN, AccountID: "123456789012", AccessKeyID: s.Root.ID,
			},
			Additional: trail.Additional{Status: 200, Needed: []string{"ecs:" + operation}},
		}
	}
	want := []trail.Record{record("CreateCluster"), record("DeleteCluster"), record("ListClusters")}
	want[0].RequestParameters = map[string]any{"clusterName": "lab"}
	want[1].RequestParameters = map[string]any{"cluster": "lab"}
	want[1].ErrorCode, want[1].ErrorMessage, want[1].Additional.Status = "ClusterNotFoundException", "Cluster not found.", 400
	want[2].ReadOnly = true
	waitFor(t, func() bool { return len(s.Audit.All()) == len(want) })
	for n, text := range s.Audit.All() {
		var got trail.Record
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if got.EventID == "" || time.Since(got.EventTime) > time.Minute {
			t.Errorf("line %d: %s", n, text)
		}
		w := want[n]
		w.RequestID, w.EventID, w.EventTime, w.Additional.Millis = answers[n].id, got.EventID, got.EventTime, got.Additional.Millis
		if !reflect.DeepEqual(got, w) {
			t.Errorf("line %d: %+v, want %+v", n, got, w)
		}
	}
}

func TestAuditTellsWhichRoleSomebodyHas(t *testing.T) {
	s := serve(t, map[string]gateway.Handler{"ListClusters": gateway.Handle(func(context.Context, *gateway.Call, *ecs.ListClustersRequest) (*ecs.ListClustersResponse, error) {
		return nil, nil
	})}, nil)
	key := s.Role(t, "worker")
	r := request(t, s, "ListClusters", "{}")
	r.Header.Del("Authorization")
	if err := sigv4.Sign(r, []byte("{}"), sigv4.Keys{ID: key.ID, Secret: key.Secret, Token: key.SessionToken}, "ecs", "us-west-2", time.Now()); err != nil {
		t.Fatal(err)
	}
	do(t, r)
	waitFor(t, func() bool { return s.Audit.All()[0] != "" })
	var got trail.Record
	if err := json.Unmarshal([]byte(s.Audit.All()[0]), &got); err != nil {
		t.Fatal(err)
	}
	want := trail.Identity{
		Type: "AssumedRole", PrincipalID: "AROAworker:test", ARN: "arn:aws:sts::123456789012:assumed-role/worker/test", AccountID: "123456789012", AccessKeyID: key.ID,
		SessionContext: &trail.SessionContext{
			SessionIssuer: &trail.Issuer{Type: "Role", PrincipalID: "AROAworker", ARN: key.Principal.RoleARN, AccountID: "123456789012", UserName: "worker"},
			Attributes:    trail.Attributes{CreationDate: key.CreatedAt.UTC().Truncate(time.Second), MFAAuthenticated: "false"},
		},
	}
	if !reflect.DeepEqual(got.UserIdentity, want) || !got.Denied() || got.ErrorCode != "AccessDeniedException" {
		t.Errorf("got %+v %s", got.UserIdentity, got.ErrorCode)
	}
}

// Every member that holds a secret, in a request or an answer, with the secret in
// it. A line of this list is a promise.
func TestSecretsAreNotLogged(t *testing.T) {
	const secret = "hunter2"
	for _, v := range []any{
		&ecs.RegisterTaskDefinitionRequest{ContainerDefinitions: []ecs.ContainerDefinition{{
			Name: new("app"), Environment: []ecs.KeyValuePair{{Name: new("PASSWORD"), Value: new(secret)}},
			LogConfiguration: &ecs.LogConfiguration{Options: map[string]string{"splunk-token": secret}},
		}}},
		&ecs.RunTaskRequest{Overrides: &ecs.TaskOverride{ContainerOverrides: []ecs.ContainerOverride{{
			Environment: []ecs.KeyValuePair{{Name: new("PASSWORD"), Value: new(secret)}},
		}}}},
		&logs.PutLogEventsRequest{LogEvents: []logs.InputLogEvent{{Message: new(secret), Timestamp: new(int64(1))}}},
		&ecr.UploadLayerPartRequest{LayerPartBlob: []byte(secret)},
		&ecr.GetAuthorizationTokenResponse{AuthorizationData: []ecr.AuthorizationData{{AuthorizationToken: new(secret)}}},
		&ssm.PutParameterRequest{Value: new(secret)},
		&secretsmanager.PutSecretValueRequest{SecretString: new(secret), SecretBinary: []byte(secret)},
		&ssm.GetParametersResult{Parameters: []ssm.Parameter{{Value: new(secret)}}},
		&ssm.GetParameterHistoryResult{Parameters: []ssm.ParameterHistory{{Value: new(secret)}}},
		&secretsmanager.CreateSecretRequest{SecretString: new(secret), SecretBinary: []byte(secret)},
		&secretsmanager.UpdateSecretRequest{SecretString: new(secret), SecretBinary: []byte(secret)},
		&secretsmanager.PutSecretValueRequest{RotationToken: new(secret)},
		&secretsmanager.GetSecretValueResponse{SecretString: new(secret), SecretBinary: []byte(secret)},
		&secretsmanager.BatchGetSecretValueResponse{SecretValues: []secretsmanager.SecretValueEntry{{SecretString: new(secret), SecretBinary: []byte(secret)}}},
		&secretsmanager.GetRandomPasswordResponse{RandomPassword: new(secret)},
		&kms.EncryptRequest{Plaintext: []byte(secret)},
		&kms.DecryptRequest{CiphertextBlob: []byte(secret)},
		&kms.ReEncryptRequest{CiphertextBlob: []byte(secret)},
		&kms.DecryptResponse{Plaintext: []byte(secret)},
		&kms.GenerateDataKeyResponse{Plaintext: []byte(secret)},
		&kms.GenerateRandomResponse{Plaintext: []byte(secret)},
		&iam.CreateAccessKeyResponse{AccessKey: &iam.AccessKey{SecretAccessKey: new(secret)}},
		&sts.GetSessionTokenResponse{Credentials: &sts.Credentials{SecretAccessKey: new(secret), SessionToken: new(secret)}},
	} {
		text, err := json.Marshal(gateway.Redacted(v).LogValue().Any())
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		if strings.Contains(string(text), secret) || strings.Contains(string(text), "aHVudGVyM") {
			t.Errorf("%T is logged as %s", v, text)
		}
		if !strings.Contains(string(text), "***") {
			t.Errorf("%T does not show that something is hidden: %s", v, text)
		}
	}
}

func TestLoggedParametersAreShort(t *testing.T) {
	in := &ecs.RunTaskRequest{
		TaskDefinition: new(strings.Repeat("x", 10_000)), Count: new(int32(0)), Tags: make([]ecs.Tag, 1000),
		ReferenceId: new("\xff"),
	}
	text, err := json.Marshal(gateway.Redacted(in).LogValue().Any())
	if err != nil || len(text) > 1000 || !strings.Contains(string(text), `"count":0`) {
		t.Errorf("%d bytes, %v: %s", len(text), err, text)
	}
	out := &sts.Credentials{Expiration: new(time.Unix(0, 0))}
	if got, _ := json.Marshal(gateway.Redacted(out).LogValue().Any()); string(got) != `{"Expiration":"1970-01-01T00:00:00Z"}` {
		t.Errorf("got %s", got)
	}
}
