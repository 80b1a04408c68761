package main

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/arn"
)

const hookUsage = "ARN=URL: address that answers for a Lambda function that lifecycle hooks or rotations of secrets name; may be repeated"

// hookFlags are the addresses of functions by ARN, as --hook gives them.
type hookFlags map[string]string

func (h hookFlags) String() string { return "" }

// Set takes one ARN=URL.
func (h hookFlags) Set(s string) error {
	name, address, _ := strings.Cut(s, "=")
	if a, err := arn.Parse(name); err != nil || a.Service != "lambda" {
		return fmt.Errorf("%q is not the ARN of a Lambda function", name)
	}
	if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is not an http or https URL", address)
	}
	h[name] = address
	return nil
}

// args are the flags that say the same.
func (h hookFlags) args() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		out = append(out, "--hook", name+"="+h[name])
	}
	return out
}
