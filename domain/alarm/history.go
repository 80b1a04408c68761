package alarm

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/berthhq/berth/domain/arn"
)

// How much history there is.
const (
	// HistoryAge is how long AWS keeps an item.
	HistoryAge = 30 * 24 * time.Hour
	// HistoryItems bounds the items of one alarm.
	HistoryItems = 100
)

// ItemType says what happened to an alarm.
type ItemType string

// Types of history items.
const (
	ConfigurationUpdate ItemType = "ConfigurationUpdate"
	StateUpdate         ItemType = "StateUpdate"
)

// Item is one entry in the history of an alarm, which outlives the alarm.
type Item struct {
	Scope   arn.Scope
	Name    string // of the alarm
	At      time.Time
	Type    ItemType
	Summary string
	Data    string // JSON
}

// Key is the primary key of an item: an alarm has one item a moment.
func (i *Item) Key() string { return fmt.Sprintf("%s %019d", Key(i.Scope, i.Name), i.At.UnixNano()) }

// maxData is the greatest HistoryData, in bytes.
const maxData = 4095

type stateSaid struct {
	Value  State           `json:"stateValue"`
	Reason string          `json:"stateReason"`
	Data   json.RawMessage `json:"stateReasonData,omitempty"`
}

func said(a *Alarm) stateSaid {
	s := stateSaid{Value: a.State, Reason: a.Reason}
	if json.Valid([]byte(a.ReasonData)) {
		s.Data = json.RawMessage(a.ReasonData)
	}
	return s
}

// Transition is the item of a change of state.
func Transition(old, next *Alarm) *Item {
	data := struct {
		Version string    `json:"version"`
		Old     stateSaid `json:"oldState"`
		New     stateSaid `json:"newState"`
	}{"1.0", said(old), said(next)}
	if len(encode(data)) > maxData {
		data.Old.Data = nil
	}
	if len(encode(data)) > maxData {
		data.New.Data = nil
	}
	return &Item{
		Scope: next.Scope, Name: next.Name, At: next.StateUpdatedAt, Type: StateUpdate,
		Summary: fmt.Sprintf("Alarm updated from %s to %s", old.State, next.State), Data: encode(data),
	}
}

// configured is the definition as an item of history tells it.
type configured struct {
	Name              string      `json:"alarmName"`
	ARN               string      `json:"alarmArn"`
	Description       string      `json:"alarmDescription,omitempty"`
	ActionsEnabled    bool        `json:"actionsEnabled"`
	Namespace         string      `json:"namespace"`
	MetricName        string      `json:"metricName"`
	Dimensions        []dimension `json:"dimensions"`
	Statistic         string      `json:"statistic"`
	Unit              string      `json:"unit,omitempty"`
	Period            int         `json:"period"`
	EvaluationPeriods int         `json:"evaluationPeriods"`
	DatapointsToAlarm int         `json:"datapointsToAlarm,omitempty"`
	Threshold         double      `json:"threshold"`
	Operator          Operator    `json:"comparisonOperator"`
	TreatMissing      Treatment   `json:"treatMissingData,omitempty"`
	State             State       `json:"stateValue"`
}

type dimension struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (a *Alarm) configured() configured {
	d := &a.Definition
	c := configured{
		Name: a.Name, ARN: a.ARN(), Description: d.Description, ActionsEnabled: d.ActionsEnabled,
		Namespace: d.Metric.Namespace, MetricName: d.Metric.Name, Dimensions: []dimension{},
		Statistic: string(d.Statistic), Unit: d.Unit, Period: d.Period, EvaluationPeriods: d.EvaluationPeriods, DatapointsToAlarm: d.DatapointsToAlarm,
		Threshold: double(d.Threshold), Operator: d.Operator, TreatMissing: d.TreatMissing, State: a.State,
	}
	for _, x := range d.Metric.Dimensions {
		c.Dimensions = append(c.Dimensions, dimension(x))
	}
	return c
}

// Created, Updated and Deleted are the items of what was done to an alarm.
func (a *Alarm) Created(now time.Time) *Item { return a.told("Create", "created", now) }

// Updated tells the new definition.
func (a *Alarm) Updated(now time.Time) *Item { return a.told("Update", "updated", now) }

// Deleted tells the last definition.
func (a *Alarm) Deleted(now time.Time) *Item { return a.told("Delete", "deleted", now) }

func (a *Alarm) told(kind, done string, now time.Time) *Item {
	c := a.configured()
	data := func() string {
		return encode(map[string]any{"version": "1.0", "type": kind, done + "Alarm": c})
	}
	if len(data()) > maxData {
		c.Description = ""
	}
	if len(data()) > maxData {
		c.Dimensions = nil
	}
	return &Item{
		Scope: a.Scope, Name: a.Name, At: now, Type: ConfigurationUpdate,
		Summary: fmt.Sprintf("Alarm %q %s", a.Name, done), Data: data(),
	}
}
