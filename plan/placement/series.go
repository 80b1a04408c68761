package placement

import "container/heap"

// Series places tasks of one request, one after the other, as a service has many.
// Its decisions are Place's. From the second in a row on it keeps the candidates
// in heaps, of which a decision changes one; when another request has used the
// board in between, it scans as Place does.
type Series struct {
	b       *Board
	r       Request
	f       *filter
	terms   []term
	shuffle bool // a random strategy: each task has an order of its own
	seen    int  // of the board's placements, when we decided last; -1 before
	piles   []*pile
}

// pile is a heap of the candidates that no spread tells apart, the best on top.
type pile struct {
	terms []term // without spreads over values, which are equal here
	list  []int32
}

// Series begins to place tasks of a request.
func (b *Board) Series(r *Request) (*Series, error) {
	s := &Series{b: b, r: *r, seen: -1}
	for _, strategy := range r.Strategy {
		s.shuffle = s.shuffle || strategy.Type == "random"
	}
	var err error
	if s.f, err = b.filter(&s.r); err != nil {
		return nil, err
	}
	s.terms, err = b.terms(&s.r)
	return s, err
}

// Place decides for the next task. seed decides a random strategy.
func (s *Series) Place(seed uint64) (*Placement, []Refusal) {
	s.r.Seed = seed
	inARow := s.seen == s.b.taken
	defer func() { s.seen = s.b.taken }()
	if s.shuffle || !inARow {
		s.piles = nil
		p, refusals, _ := s.b.Place(&s.r) // the words were read before
		return p, refusals
	}
	if s.piles == nil {
		s.build()
	}
	top := s.top()
	if top == nil {
		return nil, s.b.explain(&s.r, s.f)
	}
	i := top.list[0]
	p := s.b.take(int(i), &s.r)
	if s.f.passes(int(i)) {
		heap.Fix(top, 0)
	} else {
		heap.Pop(top)
	}
	return &p, nil
}

func (s *Series) build() {
	var own, spread []term
	for _, t := range s.terms {
		if t.index == nil {
			own = append(own, t)
		} else {
			spread = append(spread, t)
		}
	}
	byValues := map[string]*pile{}
	values := make([]byte, 4*len(spread))
	for _, i := range s.f.candidates() {
		for n, t := range spread {
			v := t.index[i]
			values[4*n], values[4*n+1], values[4*n+2], values[4*n+3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
		}
		p, ok := byValues[string(values)]
		if !ok {
			p = &pile{terms: own}
			byValues[string(values)] = p
			s.piles = append(s.piles, p)
		}
		p.list = append(p.list, i)
	}
	for _, p := range s.piles {
		heap.Init(p)
	}
}

// top is the pile with the best candidate; nil when there is none. A candidate
// whose ports are taken leaves: nobody gives them back to the board.
func (s *Series) top() *pile {
	var best *pile
	for _, p := range s.piles {
		for s.f.ports && len(p.list) > 0 && !s.f.portsFree(p.list[0]) {
			heap.Pop(p)
		}
		if len(p.list) > 0 && (best == nil || before(s.terms, p.list[0], best.list[0])) {
			best = p
		}
	}
	return best
}

// before tells whether instance i is better than j.
func before(terms []term, i, j int32) bool {
	for k := range terms {
		if x, y := terms[k].value(i), terms[k].value(j); x != y {
			return x < y
		}
	}
	return i < j
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (p *pile) Len() int           { return len(p.list) }
func (p *pile) Less(i, j int) bool { return before(p.terms, p.list[i], p.list[j]) }
func (p *pile) Swap(i, j int)      { p.list[i], p.list[j] = p.list[j], p.list[i] }
func (p *pile) Push(x any)         { p.list = append(p.list, x.(int32)) }
func (p *pile) Pop() any {
	last := len(p.list) - 1
	i := p.list[last]
	p.list = p.list[:last]
	return i
}
