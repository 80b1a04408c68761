package secret

import (
	"context"
	"fmt"
	"strings"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/arn"
)

// maxParameters is how many one GetParameters call may ask for.
const maxParameters = 10

// regionOf is the region of a parameter's ARN; that of the task for a mere name.
func regionOf(valueFrom, otherwise string) string {
	if a, err := arn.Parse(valueFrom); err == nil && a.Region != "" {
		return a.Region
	}
	return otherwise
}

type parameter struct {
	ARN, Name, Selector, Value string
}

// parameters fetches parameters of a region into found, by the names or ARNs that
// were asked for.
func (r *role) parameters(ctx context.Context, region string, names []string, found map[string]string) error {
	for len(names) > 0 {
		n := min(maxParameters, len(names))
		if err := r.someParameters(ctx, region, names[:n], found); err != nil {
			return err
		}
		names = names[n:]
	}
	return nil
}

func (r *role) someParameters(ctx context.Context, region string, names []string, found map[string]string) error {
	var out struct {
		Parameters        []parameter
		InvalidParameters []string
	}
	in := map[string]any{"Names": names, "WithDecryption": true}
	tries, err := r.patience.call(ctx, func() error { return r.get(ctx, client.SSM, region, "GetParameters", in, &out) })
	if err != nil {
		return retried(tries, err)
	}
	invalid := out.InvalidParameters
	for _, name := range names {
		if value, ok := valueOf(out.Parameters, name); ok {
			found[name] = value
		} else if len(out.InvalidParameters) == 0 {
			invalid = append(invalid, name)
		}
	}
	if len(invalid) > 0 {
		return retried(tries, fmt.Errorf("Invalid ssm parameters: %s", strings.Join(invalid, ","))) //nolint:staticcheck // AWS's words
	}
	return nil
}

// valueOf finds what was asked for by name or ARN, with the version or label that
// may follow either.
func valueOf(list []parameter, asked string) (string, bool) {
	for _, p := range list {
		if asked == p.Name || asked == p.ARN || asked == p.Name+p.Selector || asked == p.ARN+p.Selector {
			return p.Value, true
		}
	}
	return "", false
}
