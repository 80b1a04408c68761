package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEngines(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"dynamodb=http://127.0.0.1:8000":                                               "dynamodb http://127.0.0.1:8000 berth berth ",
		"sqs=https://q.example:1/x,key=AK,secret-file=" + secret + ",region=eu-west-1": "sqs https://q.example:1/x AK s3cret eu-west-1",
		"dynamodb":                          "is not SERVICE=URL",
		"=http://a":                         "is not SERVICE=URL",
		"dynamodb=ftp://a":                  "is not SERVICE=URL",
		"dynamodb=http://a,token=x":         "no option",
		"dynamodb=http://a,secret-file=/no": "secret of the engine of dynamodb",
	} {
		e, err := parseEngine(text)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = strings.Join([]string{e.Service, e.URL.String(), e.Keys.ID, e.Keys.Secret, e.Region}, " ")
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
}

func TestAServiceHasOneEngine(t *testing.T) {
	e := &engineFlags{}
	if err := e.Set("dynamodb=http://a"); err != nil {
		t.Fatal(err)
	}
	if err := e.Set("dynamodb=http://b"); err == nil || strings.Join(e.args(), " ") != "--engine dynamodb=http://a" {
		t.Errorf("%v, %v", err, e.args())
	}
}
