package secret_test

import (
	"testing"

	"github.com/berthhq/berth/domain/secret"
)

func TestReferences(t *testing.T) {
	const (
		managed   = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db/login-AbCdEf"
		parameter = "arn:aws:ssm:eu-west-1:123456789012:parameter/db/login"
	)
	for text, want := range map[string]secret.Reference{
		managed:                           {Manager: true, ID: managed, Stage: "AWSCURRENT"},
		managed + ":password::":           {Manager: true, ID: managed, Stage: "AWSCURRENT"},
		managed + "::AWSPREVIOUS:":        {Manager: true, ID: managed, Stage: "AWSPREVIOUS"},
		managed + ":password::0123-4567":  {Manager: true, ID: managed, Stage: "AWSCURRENT", Pinned: true},
		managed + "::AWSCURRENT:01234567": {Manager: true, ID: managed, Stage: "AWSCURRENT", Pinned: true},
		"arn:aws:secretsmanager":          {ID: "arn", Pinned: true},
		parameter:                         {ID: parameter},
		parameter + ":7":                  {ID: parameter, Pinned: true},
		"/db/login":                       {ID: "/db/login"},
		"login:7":                         {ID: "login", Pinned: true},
		"login:live":                      {ID: "login", Pinned: true},
		"":                                {},
	} {
		if got := secret.ReferenceOf(text); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}
