package logs

import (
	"strings"
	"testing"

	"github.com/berthhq/berth/agent/logs/spool"
)

func TestDrivers(t *testing.T) {
	order := func(driver string, pairs ...string) Order {
		o := Order{TaskID: "0123", Container: "web", RuntimeID: "rt", Region: "us-east-1", Driver: driver, Options: map[string]string{}}
		for i := 0; i < len(pairs); i += 2 {
			o.Options[pairs[i]] = pairs[i+1]
		}
		return o
	}
	aws := func(pairs ...string) Order {
		return order("awslogs", append([]string{"awslogs-group", "g"}, pairs...)...)
	}

	for name, c := range map[string]struct {
		order  Order
		stream string
		terms  spool.Terms
	}{
		"prefix":       {aws("awslogs-stream-prefix", "app"), "app/web/0123", spool.Terms{Limit: 10 << 20}},
		"no prefix":    {aws(), "rt", spool.Terms{Limit: 10 << 20}},
		"stream":       {aws("awslogs-stream", "s"), "s", spool.Terms{Limit: 10 << 20}},
		"blocking":     {aws("mode", "blocking"), "rt", spool.Terms{Limit: 10 << 20, Blocking: true}},
		"buffer":       {aws("mode", "non-blocking", "max-buffer-size", "25m"), "rt", spool.Terms{Limit: 25 << 20}},
		"small buffer": {aws("max-buffer-size", "512KiB"), "rt", spool.Terms{Limit: 512 << 10}},
	} {
		d, err := parse(c.order)
		if err != nil || d.aws.stream != c.stream || d.terms != c.terms || d.aws.group != "g" || d.aws.region != "us-east-1" {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	account := aws()
	account.Mode = "blocking"
	if d, err := parse(account); err != nil || !d.terms.Blocking {
		t.Errorf("the account's mode: %+v, %v", d, err)
	}
	account.Options["mode"] = "non-blocking"
	if d, err := parse(account); err != nil || d.terms.Blocking {
		t.Errorf("the container's mode: %+v, %v", d, err)
	}
	if d, err := parse(order("none")); err != nil || !d.nowhere() {
		t.Errorf("none: %+v, %v", d, err)
	}
	if d, err := parse(order("", "max-size", "1m", "max-file", "3")); err != nil || *d.file != (jsonFile{maxSize: 1 << 20, maxFiles: 3}) {
		t.Errorf("json-file: %+v, %v", d, err)
	}
	for message, o := range map[string]Order{
		"log driver fluentd is not supported; use one of awslogs, json-file, none": order("fluentd"),
		"must specify a value for log opt 'awslogs-group'":                         order("awslogs"),
		"unknown log opt 'colour' for awslogs log driver":                          aws("colour", "red"),
		"unknown log opt 'awslogs-group' for json-file log driver":                 order("json-file", "awslogs-group", "g"),
		"at the same time":                                aws("awslogs-datetime-format", "%Y", "awslogs-multiline-pattern", "x"),
		"could not parse multiline pattern key '('":       aws("awslogs-multiline-pattern", "("),
		"there is no code %Q":                             aws("awslogs-datetime-format", "%Q"),
		"logging mode not supported: fast":                aws("mode", "fast"),
		"only valid with mode=non-blocking":               aws("mode", "blocking", "max-buffer-size", "1m"),
		"max-buffer-size: invalid size: 'much'":           aws("max-buffer-size", "much"),
		"must specify valid value for log opt 'awslogs-c": aws("awslogs-create-group", "perhaps"),
		"max-file cannot be less than 1: 0":               order("json-file", "max-file", "0"),
	} {
		if err := Check(o); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("got %v, want %s", err, message)
		}
	}
}
