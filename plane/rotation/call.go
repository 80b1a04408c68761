package rotation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/berthhq/berth/domain/secret"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// event is what a function gets.
type event struct {
	Step               secret.Step
	SecretId           string
	ClientRequestToken string
}

// call has the function do the step of the run.
func (r *Rotator) call(ctx context.Context, s *secret.Secret) error {
	address := r.Addresses[s.Rotation.LambdaARN]
	if address == "" {
		return errors.New("no --hook names an address for it")
	}
	run := s.Rotation.Run
	body, err := json.Marshal(event{Step: run.Step, SecretId: s.ARN, ClientRequestToken: run.VersionID})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	return read(resp, data)
}

// read finds the failure in an answer. Lambda's own emulators answer a function's
// failure with 200 and its type. What the function says is not repeated: it may
// hold the secret.
func read(resp *http.Response, body []byte) error {
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("it answered with the HTTP status %d", resp.StatusCode)
	}
	var failure struct {
		ErrorType string `json:"errorType"`
	}
	if resp.Header.Get("X-Amz-Function-Error") != "" || json.Unmarshal(body, &failure) == nil && failure.ErrorType != "" {
		return errors.New("the function failed; its own log says why")
	}
	return nil
}
