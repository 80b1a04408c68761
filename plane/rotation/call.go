package rotation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/plane/function"
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
	run := s.Rotation.Run
	said, err := r.Addresses.Call(ctx, s.Rotation.LambdaARN, event{Step: run.Step, SecretId: s.ARN, ClientRequestToken: run.VersionID}, maxAnswer)
	if err != nil {
		return err
	}
	return read(said)
}

// read finds the failure in an answer. Lambda's own emulators answer a function's
// failure with 200 and its type. What the function says is not repeated: it may
// hold the secret.
func read(said *function.Answer) error {
	if said.Status/100 != 2 {
		return fmt.Errorf("it answered with the HTTP status %d", said.Status)
	}
	var failure struct {
		ErrorType string `json:"errorType"`
	}
	if said.Header.Get("X-Amz-Function-Error") != "" || json.Unmarshal(said.Body, &failure) == nil && failure.ErrorType != "" {
		return errors.New("the function failed; its own log says why")
	}
	return nil
}
