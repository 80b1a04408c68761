package flow

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/metric"
)

const (
	dialPatience  = 5 * time.Second
	shakePatience = 10 * time.Second
	// tries is how many targets are tried for one connection.
	tries = 3
	// reapEvery is how exactly idle connections end.
	reapEvery = 5 * time.Second
)

// proxy splices the connections of one listener.
type proxy struct {
	listener net.Listener
	way      atomic.Pointer[way]
	log      *slog.Logger
	over     chan struct{}
	turn     atomic.Uint64 // of targets that take turns
	begun    atomic.Uint64
	shaken   atomic.Uint64
	bytes    atomic.Uint64
	refused  atomic.Uint64  // attempts to connect to a target
	told     func(*Over)    // nil for nobody
	busy     sync.WaitGroup // accepting, and connections from their acceptance on

	mu      sync.Mutex
	open    map[*pair]bool
	dialing metric.Set // how long targets took to accept
}

// pair is a spliced connection.
type pair struct {
	client, target *net.TCPConn
	at             netip.AddrPort
	front, back    net.Conn // client and target, or TLS over them
	over           Over     // of what is known only once the bytes have gone: received and sent
	received, sent atomic.Int64
	ended          atomic.Int32  // directions
	hello          *hello        // nil where no log is kept
	shaken         time.Duration // 0 before TLS came about
}

// serve accepts until the listener is closed; stop ends what there is.
func serve(l net.Listener, w *way, told func(*Over), log *slog.Logger) *proxy {
	p := &proxy{listener: l, told: told, log: log, over: make(chan struct{}), open: map[*pair]bool{}}
	p.way.Store(w)
	p.busy.Go(p.accept)
	go p.reap()
	return p
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			p.log.Warn("a connection could not be taken", "err", err)
			select {
			case <-p.over:
				return
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		p.busy.Go(func() { p.carry(c.(*net.TCPConn), p.way.Load()) })
	}
}

func (p *proxy) carry(c *net.TCPConn, w *way) {
	defer c.Close()
	p.begun.Add(1)
	x := &pair{client: c, front: c, over: Over{Client: addressOf(c.RemoteAddr()), Began: time.Now()}}
	if w.front != nil {
		if w.book != nil {
			x.hello = &hello{TCPConn: c}
			defer w.book.enter(x)
		}
		if err := p.shake(x, w); err != nil {
			return
		}
	}
	defer p.tell(x)
	if err := p.connect(x, w); err != nil {
		_ = c.SetLinger(0) // a reset says it
		return
	}
	defer x.target.Close()
	x.over.Connected = time.Since(x.over.Began)
	if p.enter(x) {
		defer p.leave(x)
		p.copyBoth(x)
	}
}

// shake begins TLS with the client.
func (p *proxy) shake(x *pair, w *way) error {
	if x.hello != nil {
		x.front = x.hello
	}
	secure := tls.Server(x.front, w.front)
	ctx, cancel := context.WithTimeout(context.Background(), shakePatience)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		return err
	}
	p.shaken.Add(1)
	x.front, x.shaken, x.over.TLS = secure, time.Since(x.over.Began), new(secure.ConnectionState())
	return nil
}

// connect finds a target that answers.
func (p *proxy) connect(x *pair, w *way) (err error) {
	err = errors.New("there is no target")
	turn := p.turn.Add(1)
	for try := range tries {
		at, ok := w.choose(x.client.RemoteAddr(), turn, try)
		if !ok {
			return err
		}
		var c net.Conn
		began := time.Now()
		if c, err = dial(w.space, at); err == nil {
			x.at, x.target, x.back = at, c.(*net.TCPConn), c
			x.over.Target, x.over.Dialing = at, time.Since(began)
			return p.greet(x, w)
		}
		p.refused.Add(1)
	}
	return err
}

func dial(s *space.Space, to netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialPatience)
	defer cancel()
	return s.Dial(ctx, to)
}

// greet sends what the target wants ahead of the sender's bytes.
func (p *proxy) greet(x *pair, w *way) error {
	if w.header != nil {
		if _, err := x.target.Write(w.header(addressOf(x.client.RemoteAddr()), addressOf(x.client.LocalAddr()))); err != nil {
			return errors.Join(err, x.target.Close())
		}
	}
	if w.back == nil {
		return nil
	}
	secure := tls.Client(x.target, w.back)
	ctx, cancel := context.WithTimeout(context.Background(), shakePatience)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		return errors.Join(err, x.target.Close())
	}
	x.back = secure
	return nil
}

func addressOf(a net.Addr) netip.AddrPort { return netip.MustParseAddrPort(a.String()) }

// copyBoth carries bytes until both sides have said all.
func (p *proxy) copyBoth(x *pair) {
	var other sync.WaitGroup
	other.Go(func() { p.copy(x, x.front, x.back, &x.sent) })
	p.copy(x, x.back, x.front, &x.received)
	other.Wait()
}

func (p *proxy) copy(x *pair, to, from net.Conn, count *atomic.Int64) {
	n, err := move(to, from)
	p.bytes.Add(uint64(n))
	count.Store(n)
	plain := to == x.client || to == x.target
	if last := x.ended.Add(1) == 2; last && plain && err == nil {
		return // both are closed now, which says it
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite() // the other side may have gone
		return
	}
	to.Close()
	from.Close()
}

// enter counts a pair in; false once the proxy has stopped.
func (p *proxy) enter(x *pair) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		return false
	}
	p.open[x] = true
	return true
}

func (p *proxy) leave(x *pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, x)
}

// abort ends a pair as a load balancer does: with resets.
func (x *pair) abort() {
	_, _ = x.client.SetLinger(0), x.target.SetLinger(0)
	x.client.Close()
	x.target.Close()
}

// reap ends pairs that say nothing for as long as the listener allows.
func (p *proxy) reap() {
	ticker := time.NewTicker(reapEvery)
	defer ticker.Stop()
	for {
		select {
		case <-p.over:
			return
		case <-ticker.C:
		}
		limit := p.way.Load().idle
		p.each(func(x *pair) {
			if silent(x.client) > limit && silent(x.target) > limit {
				x.abort()
			}
		})
	}
}

func (p *proxy) each(do func(*pair)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for x := range p.open {
		do(x)
	}
}

// silent is since when nothing was heard on a connection.
func silent(c *net.TCPConn) (d time.Duration) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO); err == nil {
			d = time.Duration(info.Last_data_recv) * time.Millisecond
		}
	})
	return d
}

// end ends the pairs with these targets.
func (p *proxy) end(targets map[netip.AddrPort]bool) {
	p.each(func(x *pair) {
		if targets[x.at] {
			x.abort()
		}
	})
}

func (p *proxy) connections() map[netip.AddrPort]int {
	out := map[netip.AddrPort]int{}
	p.each(func(x *pair) { out[x.at]++ })
	return out
}

// tell says that a connection is over.
func (p *proxy) tell(x *pair) {
	if x.over.Target.IsValid() {
		p.mu.Lock()
		p.dialing = p.dialing.Plus(metric.One(x.over.Dialing.Seconds()))
		p.mu.Unlock()
	}
	if p.told != nil {
		x.over.Received, x.over.Sent = x.received.Load(), x.sent.Load()
		p.told(&x.over)
	}
}

func (p *proxy) measure(m *Measured) {
	m.New += p.begun.Swap(0)
	m.Refused += p.refused.Swap(0)
	p.mu.Lock()
	m.Dialing, p.dialing = m.Dialing.Plus(p.dialing), metric.Set{}
	p.mu.Unlock()
	m.TLS += p.shaken.Swap(0)
	m.Bytes += p.bytes.Swap(0)
	p.each(func(*pair) { m.Open++ })
}

// stop ends all at once.
func (p *proxy) stop() {
	p.listener.Close()
	close(p.over)
	p.each((*pair).abort)
	p.mu.Lock()
	p.open = nil
	p.mu.Unlock()
}

// drain waits for what there is: connections on their way to a target as well.
func (p *proxy) drain(ctx context.Context) {
	p.listener.Close()
	idle := make(chan struct{})
	go func() {
		p.busy.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	p.stop()
}
