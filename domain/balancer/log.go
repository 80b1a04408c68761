package balancer

import (
	"path"
	"strings"
)

// Log is one of the logs that balancers keep in buckets, by the first word of its
// attributes.
type Log string

// Logs that data planes write.
const (
	AccessLog     Log = "access_logs"
	ConnectionLog Log = "connection_logs"
)

// Delivery is where a balancer's log goes.
type Delivery struct {
	Log            Log
	Bucket, Prefix string
}

// Delivery is where a log of the balancer goes; ok is false where it keeps none.
func (b *Balancer) Delivery(l Log) (d Delivery, ok bool) {
	value := func(last string) string { return b.Attribute(string(l) + ".s3." + last) }
	return Delivery{l, value("bucket"), value("prefix")}, value("enabled") == "true"
}

// Asked are the logs that the attributes speak of and that the balancer, which has the
// attributes by now, keeps.
func (b *Balancer) Asked(said []Value) (all []Delivery) {
	for _, l := range []Log{AccessLog, ConnectionLog} {
		d, keeps := b.Delivery(l)
		for _, v := range said {
			if keeps && strings.HasPrefix(v.Name, string(l)+".") {
				all = append(all, d)
				break
			}
		}
	}
	return all
}

// TestKey is the key of the object that shows, once a log is asked for, that the bucket
// takes it.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
func (d Delivery) TestKey(account string) string {
	name := "ELBAccessLogTestFile"
	if d.Log == ConnectionLog {
		name = "ELBConnectionLogTestFile"
	}
	return path.Join(d.Prefix, "AWSLogs", account, name)
}
