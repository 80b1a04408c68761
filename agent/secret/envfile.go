package secret

import (
	"context"
	"fmt"
	"strings"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// maxFile bounds an environment file: no environment of Linux is larger.
const maxFile = 2 << 20

// environment reads environment files. Of a variable in several the first counts.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/use-environment-file.html
func (r *role) environment(ctx context.Context, files []workload.EnvironmentFile) (map[string]string, error) {
	out := map[string]string{}
	for _, f := range files {
		text, err := r.file(ctx, f.Value)
		if err != nil {
			return nil, fmt.Errorf("failed to download env files: file download command: non empty error stream: %w", err)
		}
		for name, value := range parseFile(text) {
			if _, set := out[name]; !set {
				out[name] = value
			}
		}
	}
	return out, nil
}

func (r *role) file(ctx context.Context, value string) (string, error) {
	bucket, key, ok := parseObject(value)
	if !ok {
		return "", fmt.Errorf("unable to parse bucket and key from s3 ARN specified in environmentFile %s", value)
	}
	var content []byte
	tries, err := r.patience.call(ctx, func() (err error) {
		content, err = r.object(ctx, bucket, key)
		return err
	})
	if err != nil {
		return "", retried(tries, fmt.Errorf("unable to download env file with key %s from bucket %s, error: %w", key, bucket, err))
	}
	return string(content), nil
}

func (r *role) object(ctx context.Context, bucket, key string) ([]byte, error) {
	content, err := r.in(r.region).Object(ctx, bucket, key)
	if err == nil && len(content) > maxFile {
		err = &client.Error{Code: "EntityTooLarge", Message: fmt.Sprintf("the file has %d bytes; no environment is larger than %d", len(content), maxFile)}
	}
	return content, err
}

// parseObject reads arn:aws:s3:::BUCKET/KEY.
func parseObject(value string) (bucket, key string, ok bool) {
	a, err := arn.Parse(value)
	if err != nil || a.Service != "s3" {
		return "", "", false
	}
	bucket, key, _ = strings.Cut(a.Resource, "/")
	return bucket, key, bucket != "" && key != ""
}

// parseFile reads lines of the form NAME=VALUE. A line that begins with # is a
// comment; one without both a name and a value sets nothing. Spaces and quotation
// marks are part of the value, and nothing is expanded.
func parseFile(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimRight(line, "\r\n")
		name, value, _ := strings.Cut(line, "=")
		if strings.HasPrefix(line, "#") || name == "" || value == "" || strings.Contains(line, "\x00") {
			continue
		}
		out[name] = value
	}
	return out
}
