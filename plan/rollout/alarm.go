package rollout

import (
	"slices"
	"time"

	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// alarmed names the services whose rollouts mind an alarm that changed its state.
func alarmed(v *store.View, old, next *alarm.Alarm) []string {
	if old == nil || next == nil || old.State == next.State {
		return nil
	}
	var out []string
	for s := range store.Services.All(v) {
		if s.Rollout == "" || s.Scope != next.Scope {
			continue
		}
		r, ok := store.Rollouts.Get(v, s.Rollout)
		if ok && r.AlarmStatus == service.MonitorMonitoring && slices.Contains(r.Configuration.Alarms.Names, next.Name) {
			out = append(out, s.ARN)
		}
	}
	return out
}

// minds settles at the beginning whether the rollout minds its alarms: not when one
// is off already, so that what set it off can be mended.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
func (l *look) minds() {
	if r := l.rollout; r.AlarmStatus == service.MonitorMonitoring && len(l.off()) > 0 {
		r.AlarmStatus = service.MonitorDisabled
	}
}

// off are the names of the rollout's alarms that are in ALARM. One that does not
// exist is not.
func (l *look) off() []string {
	var out []string
	for a := range l.alarms {
		if a.State == alarm.InAlarm {
			out = append(out, a.Name)
		}
	}
	return out
}

// alarms yields the rollout's alarms that exist.
func (l *look) alarms(yield func(*alarm.Alarm) bool) {
	for _, name := range l.rollout.Configuration.Alarms.Names {
		if a, ok := store.Alarms.Get(l.view, alarm.Key(l.was.Scope, name)); ok && !yield(a) {
			return
		}
	}
}

// alarming asks the alarms, until the rollout has been watched long enough.
func (l *look) alarming(*service.Deployment) (verdict, bool) {
	r := l.rollout
	if r.AlarmStatus != service.MonitorMonitoring || r.Stage == service.CleanUp {
		return verdict{}, false
	}
	names := l.off()
	if len(names) == 0 {
		return verdict{}, false
	}
	r.AlarmStatus, r.Triggered = service.MonitorTriggered, names
	return verdict{what: service.AlarmDetected, because: "an alarm was detected.", rollback: r.Configuration.Alarms.Rollback}, true
}

// bake is how long a rollout is watched after it has arrived: what its configuration
// says. A rolling one is watched at least as long as its alarms need to go off.
func (l *look) bake() time.Duration {
	r := l.rollout
	d := time.Duration(value(r.Configuration.BakeMinutes)) * time.Minute
	if r.Configuration.Strategy.Shifts() || r.AlarmStatus != service.MonitorMonitoring {
		return d
	}
	for a := range l.alarms {
		d = max(d, time.Duration(a.Definition.Period*a.Definition.EvaluationPeriods)*time.Second)
	}
	return d
}
