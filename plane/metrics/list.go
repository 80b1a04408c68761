package metrics

import (
	"bytes"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/metric"
)

// listedAge is how long after its last datapoint a metric is listed.
const listedAge = 14 * 24 * time.Hour

// List finds metrics in order of namespace and name. next, when it is not empty, is
// After of the following page.
func (m *Metrics) List(scope arn.Scope, f metric.Filter) (list []metric.Metric, next string, err error) {
	begin := keyScope(scope)
	prefix := slices.Clip(begin)
	if f.Namespace != "" {
		prefix = words(prefix, f.Namespace)
		if f.Name != "" {
			prefix = words(prefix, f.Name)
		}
	}
	from := prefix
	if on := slices.Concat(begin, []byte(f.After), []byte{0}); f.After != "" && bytes.Compare(on, prefix) > 0 {
		from = on
	}
	oldest := m.now().Add(-listedAge)
	if f.Active > 0 {
		oldest = m.now().Add(-f.Active)
	}
	last := ""
	err = m.scan(from, after(prefix), func(key, value []byte) error {
		found, err := metricOf(key)
		if err != nil || seen(value).Before(oldest) || !f.Takes(found) {
			return err
		}
		if len(list) == f.Limit {
			next = last
			return errEnough
		}
		list, last = append(list, found), string(key[len(begin):])
		return nil
	})
	return list, next, err
}
