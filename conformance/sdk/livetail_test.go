package sdk

import (
	"testing"
	"time"

	sdklogs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
)

func TestLiveTailStreamsEventsAndItsEnd(t *testing.T) {
	m := newMouth(t)
	release := make(chan struct{})
	m.answer = func(*wire.Request) any {
		return &logs.StartLiveTailResponse{ResponseStream: func(yield func(*logs.StartLiveTailResponseStream, error) bool) {
			if !yield(&logs.StartLiveTailResponseStream{SessionStart: &logs.LiveTailSessionStart{SessionId: new("s-1")}}, nil) {
				return
			}
			<-release // the first event must reach the client while the stream is open
			if !yield(&logs.StartLiveTailResponseStream{SessionUpdate: &logs.LiveTailSessionUpdate{
				SessionResults: []logs.LiveTailSessionLogEvent{{Message: new("hello"), Timestamp: new(int64(7))}},
			}}, nil) {
				return
			}
			yield(nil, fault.New(fault.SessionTimeout, "over"))
		}}
	}
	c := sdklogs.NewFromConfig(m.config())
	out, err := c.StartLiveTail(t.Context(), &sdklogs.StartLiveTailInput{LogGroupIdentifiers: []string{"g"}})
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	start, ok := (<-stream.Events()).(*types.StartLiveTailResponseStreamMemberSessionStart)
	if !ok || *start.Value.SessionId != "s-1" {
		t.Fatalf("the stream starts with %#v", start)
	}
	close(release)
	update, ok := (<-stream.Events()).(*types.StartLiveTailResponseStreamMemberSessionUpdate)
	if !ok || *update.Value.SessionResults[0].Message != "hello" {
		t.Fatalf("then comes %#v", update)
	}
	select {
	case e, open := <-stream.Events():
		if open {
			t.Fatalf("after the end comes %#v", e)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the stream does not end")
	}
	if err := stream.Err(); err == nil {
		t.Error("the client saw no exception")
	}
}
