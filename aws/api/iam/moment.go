package iam

import "time"

// at is a moment as IAM shows it, to the second; absent when zero.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Truncate(time.Second))
}
