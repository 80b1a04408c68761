package fields_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// joins opens the session of an instance's agent, and says nothing in it until ctx
// ends: what the agent reports is said by the tables.
func (b *berth) joins(ctx context.Context, instance string) error {
	at, err := b.ecs.DiscoverPollEndpoint(ctx, &ecs.DiscoverPollEndpointInput{ContainerInstance: &instance})
	if err != nil {
		return err
	}
	address := strings.TrimSuffix(aws.ToString(at.Endpoint), "/") + "/ws?" + url.Values{"containerInstanceArn": {instance}, "seqNum": {"1"}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	keys, err := b.config().Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	nothing := sha256.Sum256(nil)
	if err := v4.NewSigner().SignHTTP(ctx, keys, r, hex.EncodeToString(nothing[:]), "ecs", b.Vars["AWS_REGION"], time.Now()); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "c2F5cyBub3RoaW5nIC4uLg==",
	} {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("the session: %s: %s", answer.Status, text)
	}
	context.AfterFunc(ctx, func() { answer.Body.Close() })
	go func() { _, _ = io.Copy(io.Discard, answer.Body) }()
	return nil
}
