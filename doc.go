// Package berth is Amazon ECS on your own machines: one binary that speaks the
// AWS APIs that ECS users already use, and runs their containers for real.
//
// The folder listing is the architecture; ARCHITECTURE.md walks through it. This
// package holds no code: its tests are the laws of the house.
package berth
