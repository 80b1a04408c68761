package secret

import (
	"slices"
	"time"
)

// Staging labels that mean something to Secrets Manager.
const (
	Current  = "AWSCURRENT"
	Previous = "AWSPREVIOUS"
	Pending  = "AWSPENDING"
)

const (
	// MaxStages is how many labels a version may have.
	MaxStages = 20
	// MaxVersions is how many versions are kept; deprecated ones beyond go, oldest first.
	MaxVersions = 100
)

// WithVersion are the versions with one more, or with the one of that id filled,
// which gets the labels. It does not change the list it is given.
func WithVersion(versions []Version, v Version) []Version {
	out := slices.Clone(versions)
	stages := v.Stages
	if i := slices.IndexFunc(out, func(have Version) bool { return have.ID == v.ID }); i >= 0 {
		v.Stages, v.CreatedAt = out[i].Stages, out[i].CreatedAt
		out[i] = v
	} else {
		v.Stages = nil
		out = append(out, v)
	}
	for _, stage := range stages {
		out = MoveStage(out, stage, v.ID)
	}
	return out
}

// MoveStage gives a label to the version of that id, and takes it from any other;
// an empty id only takes it. The version that AWSCURRENT leaves becomes AWSPREVIOUS.
func MoveStage(versions []Version, stage, to string) []Version {
	out := slices.Clone(versions)
	left := ""
	for i := range out {
		switch has := slices.Contains(out[i].Stages, stage); {
		case out[i].ID == to && !has:
			out[i].Stages = append(slices.Clip(out[i].Stages), stage)
		case out[i].ID != to && has:
			left = out[i].ID
			out[i].Stages = slices.DeleteFunc(slices.Clone(out[i].Stages), func(s string) bool { return s == stage })
		}
	}
	if stage == Current && left != "" {
		return MoveStage(out, Previous, left)
	}
	return out
}

// Prune drops deprecated versions beyond MaxVersions, oldest first, and tells which.
func Prune(versions []Version) (kept []Version, dropped []string) {
	over := len(versions) - MaxVersions
	for _, v := range versions {
		if over > 0 && len(v.Stages) == 0 {
			over--
			dropped = append(dropped, v.ID)
			continue
		}
		kept = append(kept, v)
	}
	return kept, dropped
}

// Accessed marks a version and its secret as read on the day of now; nil when that
// day is known already.
func (s *Secret) Accessed(version string, now time.Time) *Secret {
	day := now.UTC().Truncate(24 * time.Hour)
	i := slices.IndexFunc(s.Versions, func(v Version) bool { return v.ID == version })
	if i < 0 || s.Versions[i].AccessedAt.Equal(day) {
		return nil
	}
	next := *s
	next.AccessedAt = day
	next.Versions = slices.Clone(s.Versions)
	next.Versions[i].AccessedAt = day
	return &next
}
