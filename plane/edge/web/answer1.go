package web

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// errSwitches says that a target goes on in another protocol.
var errSwitches = errors.New("the target goes on in another protocol")

// readAnswer reads the head of the answer; what comes before it (100 to 199) is left
// out, as on AWS.
func (x *exchange) readAnswer(u *upstream) error {
	if len(u.source.Buffered()) == 0 {
		if err := u.source.Fill(); err != nil {
			return &staleError{err}
		}
	}
	for {
		if err := x.answer.Read(u.source, x.asked.Method); err != nil {
			return err
		}
		switch {
		case x.answer.Status >= 200:
			return nil
		case x.answer.Status == http.StatusSwitchingProtocols:
			return errSwitches
		}
	}
}

// pass gives the client what the target said.
func (x *exchange) pass(u *upstream, stuck stay) error {
	x.heard(x.answer.Fields, stuck)
	if err := x.begin(x.answer.Status, x.answer.Reason, x.answer.Length); err != nil {
		return err
	}
	began := x.now
	defer func() {
		x.now = time.Now()
		x.to.answered = x.now.Sub(began)
	}()
	x.body.OfAnswer(&x.answer, x.asked.Method, u.source)
	if err := x.passBody(u); err != nil {
		return err
	}
	return ofClientWriting(x.client.end(x.body.Trailer))
}

// passBody passes on what there is before it waits for more.
func (x *exchange) passBody(u *upstream) error {
	if rest, whole := x.body.Whole(); whole {
		x.sent = int64(len(rest))
		return ofClientWriting(x.client.write(rest))
	}
	x.body.Pause = func() error {
		x.now = time.Now()
		u.alive(x.now, x.l.idle)
		return ofClientWriting(x.client.flush())
	}
	return x.stream(x.body.Part)
}

// heard sets the headers of the target's answer, and those that the balancer adds.
func (x *exchange) heard(fields wire.Fields, stuck stay) {
	own := len(x.own)
	x.own = append(x.own, fields...)
	heard := x.own[own:]
	withoutHops(&heard)
	x.own = x.own[:own+len(heard)]
	if stuck != nil {
		stuck(&x.own, fields)
	}
	x.answerHeaders()
}

// stream copies the body.
func (x *exchange) stream(part func() ([]byte, error)) error {
	for {
		b, err := part()
		if len(b) > 0 {
			x.sent += int64(len(b))
			if err := x.client.write(b); err != nil {
				return ofClientWriting(err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
