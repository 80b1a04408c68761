package rollout

import "github.com/berthhq/berth/domain/service"

// breaks asks the circuit breaker. A rollout that shifts traffic has one, asked for
// or not.
func (l *look) breaks(d *service.Deployment) (verdict, bool) {
	r := l.rollout
	b, given := r.Configuration.Breaker, true
	if b == nil || !b.Enable {
		b, given = &service.Breaker{Rollback: true}, false
		if !r.Configuration.Strategy.Shifts() {
			return verdict{}, false
		}
	}
	if d.Failed < b.Limit(l.next.Spec.Desired) {
		return verdict{}, false
	}
	if !given {
		return verdict{what: service.FailedToStart, because: "tasks failed to start.", rollback: true}, true
	}
	r.Breaker = service.MonitorTriggered
	return verdict{what: service.FailedToStart, breaker: true, because: "the circuit breaker threshold was exceeded.", rollback: b.Rollback}, true
}
