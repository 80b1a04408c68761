package web

import "github.com/berthhq/berth/plane/edge/web/wire"

// room is memory that exchanges use one after the other.
type room struct {
	asked, sent, heard, own wire.Fields
	did, tried              []string
	targets                 []*target
	text                    []byte
}

// enter gives the exchange room.
func (x *exchange) enter(e *Engine) {
	m, ok := e.rooms.Get().(*room)
	if !ok {
		m = &room{}
	}
	x.room = m
	x.asked.Fields, x.out.fields, x.answer.Fields, x.own = m.asked[:0], m.sent[:0], m.heard[:0], m.own[:0]
	x.did, x.to.tried = m.did[:0], m.tried[:0]
}

// leave gives it back, empty: what was in it belongs to nobody any more.
func (x *exchange) leave(e *Engine) {
	m := x.room
	m.asked, m.sent, m.heard, m.own = x.asked.Fields, x.out.fields, x.answer.Fields, x.own
	for _, fs := range [...]wire.Fields{m.asked, m.sent, m.heard, m.own} {
		clear(fs)
	}
	m.did, m.tried = x.did, x.to.tried
	clear(m.did)
	clear(m.tried)
	clear(m.targets)
	e.rooms.Put(m)
}
