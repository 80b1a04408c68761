package web_test

import (
	"testing"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/rulestest"
)

// TestRules has each rule of a listener hit once, each by another condition or action.
// Proves 4A.2.
func TestRules(t *testing.T) {
	a := named(t, "group a")
	s := newStand(t, func(s *stand) {
		s.pool("a", a)
		s.rules(rulestest.Rules()...)
		s.otherwise(rulestest.Default())
	})
	rulestest.Try(t, s.addr)
}

func TestWeights(t *testing.T) {
	s := newStand(t, func(s *stand) {
		s.pool("a", named(t, "a"))
		s.pool("b", named(t, "b"))
		s.otherwise(forward(balancer.Weighted{GroupARN: "a", Weight: 90}, balancer.Weighted{GroupARN: "b", Weight: 10}))
	})
	heard := map[string]int{}
	for range 400 {
		_, body := s.ask(t, "/")
		heard[body]++
	}
	if heard["b"] < 10 || heard["b"] > 90 || heard["a"]+heard["b"] != 400 {
		t.Errorf("of weights 90 and 10 came %v", heard)
	}
}
