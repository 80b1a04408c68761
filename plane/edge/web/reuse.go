package web

import (
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// exchange gives one that nobody uses; forget takes it back.
func (e *Engine) exchange() *exchange {
	if x, ok := e.exchanges.Get().(*exchange); ok {
		return x
	}
	return &exchange{}
}

// forget keeps the memory of an exchange for another one, and nothing that was in it.
func (e *Engine) forget(x *exchange) {
	clear(x.did)
	clear(x.targets)
	clear(x.to.tried)
	asked, sent, heard, tried := emptied(x.asked.Fields), emptied(x.out.fields), emptied(x.answer.Fields), x.to.tried[:0]
	*x = exchange{
		did: x.did[:0], own: emptied(x.own), targets: x.targets[:0], text: x.text[:0], seen: balancer.Request{Header: x.seen.Header},
	}
	x.asked.Fields, x.out.fields, x.answer.Fields, x.to.tried = asked, sent, heard, tried
	e.exchanges.Put(x)
}

func emptied(fs wire.Fields) wire.Fields {
	clear(fs)
	return fs[:0]
}
