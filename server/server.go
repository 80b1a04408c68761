package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"github.com/berthhq/berth/aws/api/account"
	"github.com/berthhq/berth/aws/api/acm"
	"github.com/berthhq/berth/aws/api/applicationautoscaling"
	"github.com/berthhq/berth/aws/api/cloudwatch"
	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/api/ecr"
	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/api/elb"
	"github.com/berthhq/berth/aws/api/elbv2"
	"github.com/berthhq/berth/aws/api/events"
	"github.com/berthhq/berth/aws/api/iam"
	"github.com/berthhq/berth/aws/api/kms"
	"github.com/berthhq/berth/aws/api/logs"
	"github.com/berthhq/berth/aws/api/secretsmanager"
	"github.com/berthhq/berth/aws/api/servicediscovery"
	"github.com/berthhq/berth/aws/api/ssm"
	"github.com/berthhq/berth/aws/api/sts"
	"github.com/berthhq/berth/aws/gateway"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/dispatch"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/plane/archive"
	"github.com/berthhq/berth/plane/authority"
	"github.com/berthhq/berth/plane/bus"
	"github.com/berthhq/berth/plane/history"
	"github.com/berthhq/berth/plane/keyring"
	"github.com/berthhq/berth/plane/metrics"
	"github.com/berthhq/berth/plane/registry"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/plane/witness"
	"github.com/berthhq/berth/protocol/authmsg"
	"github.com/berthhq/berth/protocol/join"
	"github.com/berthhq/berth/store/etcd"
)

// Server is a wired control plane.
type Server struct {
	Config

	store     *etcd.Store
	authority *authority.Authority
	notary    *authority.Notary
	joins     *authority.Gate
	vault     *vault.Vault
	keyring   *keyring.Keyring
	domains   *authority.Authority // certifies users' domains
	witness   *witness.Witness
	messages  *authmsg.Sealer
	archive   *archive.Archive
	metrics   *metrics.Metrics
	history   *history.History
	access    *access.Access
	gateway   *gateway.Gateway
	sessions  *dispatch.Dispatcher
	control   *control.Control
	bus       *bus.Bus
	front     *http.Server
	audit     io.Closer
	loops     sync.WaitGroup
}

// shutdownPatience bounds the wait for requests that are being answered.
const shutdownPatience = 10 * time.Second

// Run serves until ctx ends.
func Run(ctx context.Context, c Config) (err error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Server{Config: c}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, step := range []func(context.Context) error{s.openStore, s.openArchive, s.openMetrics, s.openHistory, s.openWitness, s.wire, s.begin} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return s.serve(ctx)
}

func (s *Server) openStore(ctx context.Context) (err error) {
	s.store, err = etcd.Open(ctx, etcd.Options{Dir: filepath.Join(s.Data, "store"), Logger: s.Log})
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	if s.authority, err = authority.Open(filepath.Join(s.Data, "authority"), s.Now()); err != nil {
		return fmt.Errorf("open the certificate authority: %w", err)
	}
	if s.notary, err = s.authority.Notary(filepath.Join(s.Data, "authority"), s.Now()); err != nil {
		return err
	}
	s.joins = &authority.Gate{Store: s.store, Authority: s.authority, Notary: s.notary, Clock: s.Now}
	if s.vault, err = vault.Open(s.Data, s.store.View(), s.Now()); err != nil {
		return fmt.Errorf("open the vault: %w", err)
	}
	s.keyring = &keyring.Keyring{Vault: s.vault, Log: s.Log}
	if s.domains, err = authority.Open(filepath.Join(s.Data, "certificates"), s.Now()); err != nil {
		return fmt.Errorf("open the authority of requested certificates: %w", err)
	}
	if s.messages, err = authmsg.Load(filepath.Join(s.Data, "messages.key")); err != nil {
		return fmt.Errorf("the key of encoded messages: %w", err)
	}
	return nil
}

func (s *Server) openArchive(context.Context) (err error) {
	s.archive, err = archive.Open(filepath.Join(s.Data, "archive"), archive.Options{Now: s.Now, Log: s.Log})
	if err != nil {
		return fmt.Errorf("open the log archive: %w", err)
	}
	return nil
}

func (s *Server) openMetrics(context.Context) (err error) {
	s.metrics, err = metrics.Open(filepath.Join(s.Data, "metrics"), metrics.Options{Now: s.Now, Log: s.Log})
	if err != nil {
		return fmt.Errorf("open the metrics: %w", err)
	}
	return nil
}

func (s *Server) openHistory(context.Context) (err error) {
	o := history.Options{Store: s.store, Keep: s.KeepStopped, Now: s.Now, Log: s.Log}
	s.history, err = history.Open(filepath.Join(s.Data, "history"), o)
	return err
}

func (s *Server) openWitness(context.Context) (err error) {
	s.witness, err = witness.Open(filepath.Join(s.Data, "witness"), witness.Options{Log: s.Log})
	return err
}

// wire builds the APIs and what stands behind one port.
func (s *Server) wire(context.Context) error {
	cidr, err := s.defaultRange()
	if err != nil {
		return err
	}
	tokens, err := registry.LoadTokens(filepath.Join(s.Data, "registry.key"))
	if err != nil {
		return fmt.Errorf("registry tokens: %w", err)
	}
	s.access = s.newAccess()
	s.sessions = dispatch.New(dispatch.Config{Store: s.store, Log: s.Log, Now: s.Now, May: s.may, Assume: s.assume})
	s.control = control.New(s.store, control.Planners(control.Options{NewID: ecs.NewID}), s.Log)
	s.bus = s.newBus()
	fronts, err := s.fronts()
	if err != nil {
		return err
	}
	inner := http.NewServeMux()
	s.gateway, err = gateway.New(gateway.Options{
		Keys: gateway.StoredKeys{Store: s.store}, Authoriser: s.access, Inner: inner, Clock: s.Now, Log: s.Log, Audit: s.openAudit(),
		Offers: offers(s.answers(cidr, tokens)), Fronts: fronts,
	})
	if err != nil {
		return err
	}
	inner.Handle("/v2/", &registry.Gate{
		Registry: registry.Proxy(s.Storage, s.Log), Tokens: tokens, Repositories: repositories{s.store}, Access: images{s.store, s.access, s.Now},
		Keys: keys{s.store}, Home: s.Home.Region, Now: s.Now, Log: s.Log,
	})
	inner.Handle("GET /acs/ws", s.gateway.Signed("ecs", as(s.sessions.ServeACS)))
	inner.Handle("GET /tcs/ws", s.gateway.Signed("ecs", as(s.sessions.ServeTCS)))
	inner.Handle(join.Path, &authority.Door{Gate: s.joins, Log: s.Log})
	s.serveEdges(inner)
	inner.HandleFunc("GET /_berth/health", s.health)
	inner.HandleFunc("GET "+ClaimsPath, s.claims)
	inner.Handle("POST "+TokenPath, s.gateway.Signed("berth", s.createToken))
	inner.Handle("POST "+VaultPath, s.gateway.Signed("berth", s.rotateVault))
	inner.Handle("POST "+InterruptPath, s.gateway.Signed("berth", s.interrupt))
	inner.Handle("POST "+QuietPath, s.gateway.Signed("berth", s.quiet))
	inner.Handle("GET "+WhyPath, s.gateway.Signed("berth", s.explain))
	inner.Handle("GET "+AuditPath, s.gateway.Signed("berth", s.audited))
	inner.Handle("GET "+SuggestPath, s.aboutRole(s.suggest))
	inner.Handle("GET "+UnusedPath, s.aboutRole(s.unused))
	inner.Handle("GET "+TrialPath, s.aboutRole(s.trial))
	inner.Handle("POST "+TrialPath, s.aboutRole(s.try))
	s.front = &http.Server{
		Handler: s.gateway, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return context.Background() },
	}
	return nil
}

// answers are the operations that berth has, by service.
func (s *Server) answers(defaultVPC netip.Prefix, tokens *registry.Tokens) map[string]answers {
	secrets := secretsmanager.New(secretsmanager.Config{Store: s.store, Vault: s.vault, Hooked: s.hooked})
	balancers := elbv2.New(elbv2.Config{Store: s.store, Keyring: s.keyring, Objects: s.stored(), Public: publicAddress, Logs: s.beginLogs})
	return map[string]answers{
		"ecs": of(ecs.New(ecs.Config{
			Store: s.store, History: s.history, Hooked: s.hooked, Identities: s.identities(), Assume: s.assume,
		})),
		"ec2":                     of(ec2.New(s.store, defaultVPC)),
		"elbv2":                   of(balancers),
		"elb":                     of(elb.New(elb.Config{Store: s.store, Nodes: balancers, NewID: balancers.NewID, Logs: s.beginLogs, Log: s.Log})),
		"acm":                     of(s.certificates()),
		"ecr":                     of(ecr.New(ecr.Config{Store: s.store, Images: registry.NewClient(s.Storage), Tokens: tokens, Home: s.Home.Region})),
		"logs":                    of(logs.New(s.archive)),
		"cloudwatch":              of(cloudwatch.New(s.store, s.metrics)),
		"iam":                     of(iam.New(iam.Config{Store: s.store, Usage: seen{s.witness}})),
		"sts":                     of(sts.New(sts.Config{Store: s.store, Messages: s.messages, Keys: s.access.Keys})),
		"secretsmanager":          of(secrets),
		"ssm":                     of(ssm.New(ssm.Config{Store: s.store, Vault: s.vault, Secrets: secrets})),
		"kms":                     of(kms.New(s.store, s.vault)),
		"servicediscovery":        of(servicediscovery.New(s.store)),
		"events":                  of(events.New(events.Config{Store: s.store, Bus: s.bus})),
		"account":                 {account.Operations(), account.Needs()},
		"application-autoscaling": {operations: applicationautoscaling.Operations()},
	}
}

// certificates is the Certificate Manager.
func (s *Server) certificates() *acm.API {
	return acm.New(acm.Config{Store: s.store, Keyring: s.keyring, Authority: s.domains})
}

// identities is nil where no server runs and operations are only listed.
func (s *Server) identities() ecs.Identities {
	if s.notary == nil {
		return nil
	}
	return s.notary
}

// hooked tells whether somebody answers for a function.
func (s *Server) hooked(arn string) bool { return s.Hooks[arn] != "" }

// Coverage lists the services and the operations that have a handler. Nothing of it
// can be called.
func Coverage() []gateway.Offer { return offers((&Server{}).answers(netip.Prefix{}, nil)) }

// serve starts the loops, then answers requests until ctx ends.
func (s *Server) serve(ctx context.Context) error {
	loops, stop := context.WithCancel(ctx)
	defer s.loops.Wait()
	defer stop()
	s.startLoops(loops)
	listener, err := s.listen(ctx)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- s.front.Serve(listener) }()
	s.Log.Info("serving", "address", listener.Addr())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.sessions.Close()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
	defer cancel()
	return s.front.Shutdown(patience)
}

// close closes what was opened, last first.
func (s *Server) close() error {
	var errs []error
	if s.metrics != nil {
		errs = append(errs, s.metrics.Close())
	}
	if s.witness != nil {
		errs = append(errs, s.witness.Close())
	}
	if s.history != nil {
		errs = append(errs, s.history.Close())
	}
	if s.archive != nil {
		errs = append(errs, s.archive.Close())
	}
	if s.audit != nil {
		errs = append(errs, s.audit.Close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}
