package ssm

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

func (a *API) labelParameterVersion(ctx context.Context, call *gateway.Call, in *shape.LabelParameterVersionRequest) (*shape.LabelParameterVersionResult, error) {
	out := &shape.LabelParameterVersionResult{InvalidLabels: []string{}}
	var good []string
	for _, label := range in.Labels {
		if secret.IsLabel(label) {
			good = append(good, label)
		} else {
			out.InvalidLabels = append(out.InvalidLabels, label)
		}
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		p, err := find(tx, call, *in.Name)
		if err != nil {
			return err
		}
		e, err := choose(tx, p, secret.Selector{Version: member.Value(in.ParameterVersion)})
		if err != nil {
			return err
		}
		out.ParameterVersion = new(e.Version)
		return label(tx, p, e.Version, good)
	})
	return out, err
}

// label moves labels to one version.
func label(tx *store.Tx, p *secret.Parameter, version int64, labels []string) error {
	for _, e := range editions(tx, p) {
		next := *e
		next.Labels = slices.DeleteFunc(slices.Clone(e.Labels), func(l string) bool { return e.Version != version && slices.Contains(labels, l) })
		for _, l := range labels {
			if e.Version == version && !slices.Contains(next.Labels, l) {
				next.Labels = append(next.Labels, l)
			}
		}
		switch {
		case len(next.Labels) > secret.MaxLabels:
			return fault.New(fault.ParameterVersionLabelLimit, "A parameter version can have maximum %d labels. Move one or more labels to another version and try again.", secret.MaxLabels)
		case !slices.Equal(next.Labels, e.Labels):
			store.Editions.Put(tx, &next)
		}
	}
	return nil
}

func (a *API) unlabelParameterVersion(ctx context.Context, call *gateway.Call, in *shape.UnlabelParameterVersionRequest) (*shape.UnlabelParameterVersionResult, error) {
	out := &shape.UnlabelParameterVersionResult{}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		p, err := find(tx, call, *in.Name)
		if err != nil {
			return err
		}
		e, err := choose(tx, p, secret.Selector{Version: *in.ParameterVersion})
		if err != nil {
			return err
		}
		out.RemovedLabels, out.InvalidLabels = []string{}, []string{}
		next := *e
		next.Labels = slices.Clone(e.Labels)
		for _, l := range in.Labels {
			if i := slices.Index(next.Labels, l); i >= 0 {
				next.Labels = slices.Delete(next.Labels, i, i+1)
				out.RemovedLabels = append(out.RemovedLabels, l)
			} else {
				out.InvalidLabels = append(out.InvalidLabels, l)
			}
		}
		store.Editions.Put(tx, &next)
		return nil
	})
	return out, err
}
