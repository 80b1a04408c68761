package iam

import (
	"net/url"
	"strings"
	"unicode"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/store"
)

// Sizes of policies, in characters without white space.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
const (
	maxManaged = 6144
	maxTrust   = 2048
)

// encoded is a document as IAM answers it.
// https://datatracker.ietf.org/doc/html/rfc3986
func encoded(document string) *string {
	return new(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

// sizeOf counts the characters that count.
func sizeOf(document string) (n int) {
	for _, r := range document {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func checkManaged(document string) error {
	if sizeOf(document) > maxManaged {
		return overQuota("PolicySize", maxManaged)
	}
	_, err := policy.Parse(document, policy.Identity)
	return err
}

// checkTrust refuses a trust policy that cannot be read, or that trusts somebody of
// this account who is not there.
func checkTrust(r store.Reader, account, document string) error {
	if sizeOf(document) > maxTrust {
		return overQuota("ACLSizePerRole", maxTrust)
	}
	parsed, err := policy.Parse(document, policy.Trust)
	if err != nil {
		return err
	}
	for _, s := range parsed.Statements() {
		for _, p := range s.Principals {
			if p.Type == "AWS" && !isThere(r, account, p.Name) {
				return fault.New(fault.MalformedPolicyDocument, `Invalid principal in policy: "AWS":"%s"`, p.Name).
					WithHint("who is trusted must exist first")
			}
		}
	}
	return nil
}

// isThere tells whether a user or role of the account exists; others are taken at
// their word.
func isThere(r store.Reader, account, principal string) bool {
	a, err := arn.Parse(principal)
	if err != nil || a.Service != "iam" || a.Account != account {
		return true
	}
	switch a.Kind() {
	case "user":
		u, ok := store.Users.Get(r, store.NameKey(account, a.Name()))
		return ok && u.ARN == principal
	case "role":
		_, ok := store.FindRole(r, principal)
		return ok
	}
	return true
}
