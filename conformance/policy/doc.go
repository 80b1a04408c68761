// Package policy holds berth's evaluator of IAM policies beside another one, that of
// versitygw, where the two read the same language: each judges the other.
//
// What is left out, because it is known to differ, is said where it is left out.
//
// It is a module of its own, so that the main one does not carry the other.
package policy
