package secret

import (
	"context"
	"encoding/json"
	"errors"
)

// Login is a user name and a password of a registry.
type Login struct {
	User, Password string
}

var errLogin = errors.New(`the secret must be JSON of the form {"username": "...", "password": "..."}`)

// login fetches repository credentials; nil when a container has none.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html
func (r *role) login(ctx context.Context, id string) (*Login, error) {
	if id == "" {
		return nil, nil
	}
	ref := reference{id: id, region: regionOf(id, r.region)}
	text, tries, err := r.secretText(ctx, ref)
	if err != nil {
		return nil, pulling("unable to retrieve secret from asm", retried(tries, err))
	}
	l, err := parseLogin(text)
	if err != nil {
		return nil, pulling("unable to retrieve secret from asm", err)
	}
	return l, nil
}

func parseLogin(text string) (*Login, error) {
	var said struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	if json.Unmarshal([]byte(text), &said) != nil || said.Username == "" || said.Password == "" {
		return nil, errLogin
	}
	return &Login{User: said.Username, Password: said.Password}, nil
}
