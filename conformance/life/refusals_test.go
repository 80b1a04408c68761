package life_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"
)

// call posts a body to an ECS operation, signed with the secret, and returns what
// the answer says.
func call(t *testing.T, operation, secret string, body []byte) (status int, kind, message string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, here.Vars["AWS_ENDPOINT_URL"]+"/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
	keys := aws.Credentials{AccessKeyID: here.Vars["AWS_ACCESS_KEY_ID"], SecretAccessKey: secret}
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, req, hashOf(body), "ecs", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		t.Fatalf("%d %s: %v", resp.StatusCode, text, err)
	}
	return resp.StatusCode, said.Type, said.Message
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	secret := here.Vars["AWS_SECRET_ACCESS_KEY"]
	for name, c := range map[string]struct {
		operation, secret, body string
		status                  int
		kind                    string
	}{
		"unknown members are ignored": {"ListClusters", secret, `{"nobody": {"knows": [1]}}`, 200, ""},
		"wrong type":                  {"ListClusters", secret, `{"maxResults": "many"}`, 400, "SerializationException"},
		"not JSON":                    {"ListClusters", secret, `{"maxResults"`, 400, "SerializationException"},
		"wrong secret":                {"ListClusters", "wrong", `{}`, 403, "InvalidSignatureException"},
		"unknown operation":           {"MakeCoffee", secret, `{}`, 400, "UnknownOperationException"},
		"operation not built":         {"CreateGateway", secret, `{"name": "web"}`, 400, "UnsupportedFeatureException"},
		"missing member":              {"DescribeTasks", secret, `{}`, 400, "InvalidParameterException"},
		"unknown cluster":             {"ListTasks", secret, `{"cluster": "nowhere"}`, 400, "ClusterNotFoundException"},
		"oversize":                    {"ListClusters", secret, `{"x": "` + strings.Repeat("x", 80<<20) + `"}`, 413, "RequestEntityTooLargeException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, kind, message := call(t, c.operation, c.secret, []byte(c.body))
			if status != c.status || kind != c.kind || c.kind != "" && message == "" {
				t.Errorf("%d %s: %s", status, kind, message)
			}
		})
	}
}

func TestUnknownKey(t *testing.T) {
	t.Parallel()
	c := here.config()
	c.Credentials = credentials.NewStaticCredentialsProvider("AKIANOBODY", "secret", "")
	_, err := ecs.NewFromConfig(c).ListClusters(t.Context(), nil)
	if refused := smithy.APIError(nil); !errors.As(err, &refused) || refused.ErrorCode() != "UnrecognizedClientException" {
		t.Error(err)
	}
}

func TestNotBuiltSaysSo(t *testing.T) {
	t.Parallel()
	_, err := here.ecs.ListGateways(t.Context(), &ecs.ListGatewaysInput{})
	refused := smithy.APIError(nil)
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	says(t, refused.ErrorMessage(), "berth", "ListGateways")
}
