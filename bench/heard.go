package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/berthhq/berth/client"
)

// heard is the first answer of a target.
type heard struct {
	at       time.Time
	listened time.Time // when its program did, as it says
}

// ask asks the balancer every millisecond, and notes who answers when first.
func (r *road) ask(ctx context.Context) {
	c := &http.Client{Timeout: 10 * time.Second}
	for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		answer, err := c.Get("http://" + r.node + "/")
		if err != nil {
			continue // the node is not there yet
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		now := time.Now()
		listened, bad := moment(string(text))
		if err != nil || bad != nil || answer.StatusCode != http.StatusOK {
			continue
		}
		who := strings.Fields(string(text))[1]
		r.mu.Lock()
		if _, known := r.first[who]; !known {
			r.first[who] = heard{now, listened}
		}
		r.mu.Unlock()
	}
}

// heard is the first answer of the target at an address.
func (r *road) heard(who string) (heard, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, ok := r.first[who]
	return h, ok
}

// forget lets a later target of the same address be heard.
func (r *road) forget(who string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.first, who)
}

// shown is what DescribeTasks shows of a task.
type shown struct {
	Status    string  `json:"lastStatus"`
	StartedAt float64 `json:"startedAt"`
	Reason    string  `json:"stoppedReason"`
	Attached  []struct {
		Details []struct{ Name, Value string } `json:"details"`
	} `json:"attachments"`
}

func (r *road) show(ctx context.Context, arn string) (*shown, error) {
	var out struct{ Tasks []shown }
	err := r.client.Call(ctx, client.ECS, "DescribeTasks", map[string]any{"tasks": []string{arn}}, &out)
	if err == nil && len(out.Tasks) == 0 {
		err = fmt.Errorf("there is no task %s", arn)
	}
	if err != nil {
		return nil, err
	}
	return &out.Tasks[0], nil
}

// address is where a task is asked.
func (s *shown) address() string {
	for _, a := range s.Attached {
		for _, d := range a.Details {
			if d.Name == "privateIPv4Address" {
				return d.Value + ":" + servedAt
			}
		}
	}
	return ""
}
