package dispatch

import (
	"context"
	"reflect"
	"time"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// meshes are what a session told its host of what tasks may call by Service Connect.
type meshes struct {
	told    []discovery.Mesh
	stale   bool        // something changed that they follow from
	rest    *time.Timer // runs while they may not be made
	resting bool
}

// connectAll tells a fresh session all meshes.
func (s *session) connectAll(ctx context.Context, v *store.View) error {
	if !s.ours {
		return nil
	}
	s.meshes.told = road.MeshesOf(v, s.instance)
	return s.send(ctx, acs.TypeMeshes, acs.Meshes{MessageID: newID(), Meshes: s.meshes.told})
}

func (s *session) noteCalls(e store.Event) {
	s.meshes.stale = s.meshes.stale || road.HasCalls(e.Old, s.instance) || road.HasCalls(e.New, s.instance)
}

// connect tells the meshes if they differ, or waits until the session has rested; not
// when hurried by news of tasks, which nobody is to call when they stop.
func (s *session) connect(ctx context.Context, hurried bool) error {
	if !s.ours || !s.meshes.stale || s.meshes.resting && !hurried {
		return nil
	}
	start, now := time.Now(), road.MeshesOf(s.d.Store.View(), s.instance)
	differ := !reflect.DeepEqual(s.meshes.told, now)
	s.meshes.told, s.meshes.stale, s.meshes.resting = now, false, true
	s.meshes.rest.Reset(max(shortRest, 2*time.Since(start)*time.Duration(s.d.Connected())))
	if !differ {
		return nil
	}
	return s.send(ctx, acs.TypeMeshes, acs.Meshes{MessageID: newID(), Meshes: now})
}
