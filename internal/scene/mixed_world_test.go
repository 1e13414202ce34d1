package scene_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
)

// mixed is one history of TestMixed.
type mixed struct {
	ctx    context.Context
	rng    *rand.Rand
	scene  *scene.Scene
	cloud  *awssim.Cloud
	db     *dynamodb.Client // the author's
	author *scene.Author
	log    *zap.Logger
	*weather

	streaming bool // the table's stream is read, or will be
	streamOn  bool
	dropRaw   bool
	split     bool // into datasets
	workers   []*actor
	seeder    *actor // who makes full exports, if anybody does
	next      int
	broken    func(*bootstrap.Options) // leaves out something that a repair needs
}

// actor is a process: a worker of the fleet, a bootstrap, or who follows the table.
type actor struct {
	name string
	stop context.CancelFunc
	done chan struct{}
	ok   bool // it did what it was for; valid when done
}

func newMixed(ctx context.Context, seed uint64, log *zap.Logger) *mixed {
	m := &mixed{ctx: ctx, rng: rand.New(rand.NewPCG(seed, 3)), weather: newWeather(seed), log: log}
	cfg := awssim.Config{
		Seed: seed, EmptyPages: 2 + m.rng.IntN(20), ExportFiles: 1 + m.rng.IntN(3),
		ClockSkew: []time.Duration{0, time.Second, time.Minute, time.Minute}[m.rng.IntN(4)],
		RollEvery: []time.Duration{0, 4 * time.Hour}[m.rng.IntN(2)],
		Latency:   m.latency,
	}
	m.cloud = awssim.New(cfg)
	m.cloud.Intercept(m.fault)
	m.calm = true
	s, err := scene.Open(ctx, m.cloud, 1+m.rng.IntN(3))
	m.must(err)
	m.scene, m.streamOn, m.streaming = s, true, m.rng.IntN(5) > 0
	m.author = s.Author(seed, 12+m.rng.IntN(40))
	m.db = dynamodb.NewFromConfig(m.cloud.AWSConfig("author"))
	m.dropRaw = m.rng.IntN(2) == 0
	m.split = seed%3 == 0
	return m
}

// stuck ends a history that cannot go on.
type stuck struct{ error }

func (m *mixed) must(err error) {
	if err != nil {
		panic(stuck{err})
	}
}

// start runs a process until it ends or is stopped. Each has a name of its own.
func (m *mixed) start(kind string, run func(ctx context.Context, name string) error) *actor {
	m.next++
	a := &actor{name: fmt.Sprintf("%s-%d", kind, m.next), done: make(chan struct{})}
	ctx, stop := context.WithCancel(m.ctx)
	a.stop = stop
	go func() {
		defer close(a.done)
		err := run(ctx, a.name)
		a.ok = err == nil
		m.log.Info("a process ended", zap.String("process", a.name), zap.Error(err))
	}()
	return a
}

func (a *actor) ended() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// kill ends a process: nothing of it comes through any more.
func (m *mixed) kill(a *actor) {
	m.set(m.cut, a.name, time.Time{})
	a.stop()
}

// join starts another worker of the fleet, with its own limits, and a repairer in it, as
// `consume` does.
func (m *mixed) join() *actor {
	lease := time.Hour // the fleet agrees on it; a worker beats every minute then
	age, rows := time.Duration(10+m.rng.IntN(290))*time.Second, 1+m.rng.IntN(300)
	poll, every := time.Duration(2+m.rng.IntN(6))*time.Minute, time.Duration(2+m.rng.IntN(6))*time.Minute
	skew := time.Duration(m.rng.IntN(120)-60) * time.Second
	old := m.rng.IntN(2) == 0
	exporter := m.exporter()
	a := m.start("worker", func(ctx context.Context, name string) error {
		log := m.log.With(zap.String("worker", name))
		o := m.scene.Worker(name, log)
		table, err := consumer.Describe(ctx, o.DynamoDB, scene.TableName)
		if err != nil {
			return err
		}
		if err := table.CheckStream(old); err != nil {
			return err
		}
		o.Table, o.OldImage, o.OnGap = table, old, consumer.GapContinue
		o.Lease, o.Renew, o.Settle, o.PollMax, o.LedgerEvery = lease, lease/2, time.Minute, poll, every
		o.Limits.Rows, o.Limits.Age = rows, age
		o.Memory = 64 << 20
		o.Wall = func() time.Time { return time.Now().Add(skew) }
		exporting := exporter(ctx, name, log)
		o.Datasets = exporting.Datasets
		repairer, err := bootstrap.NewRepairer(exporting)
		if err != nil {
			return err
		}
		work, stop := context.WithCancel(ctx)
		repaired := make(chan error, 1)
		go func() { repaired <- repairer.Run(work) }()
		err = consumer.Run(ctx, o)
		stop()
		<-repaired
		return err
	})
	m.workers = append(m.workers, a)
	return a
}

// exporter draws the settings of whoever deals with exports.
func (m *mixed) exporter() func(ctx context.Context, name string, log *zap.Logger) bootstrap.Options {
	window, inFlight := time.Duration(15+m.rng.IntN(150))*time.Minute, 1+m.rng.IntN(4)
	if m.streaming {
		window *= time.Duration(1 + m.rng.IntN(8))
	}
	poll := time.Duration(3+m.rng.IntN(8)) * time.Minute
	old := m.rng.IntN(2) == 0
	return func(ctx context.Context, name string, log *zap.Logger) bootstrap.Options {
		o := m.scene.Exporter(name, log)
		for m.split && o.Datasets == nil && ctx.Err() == nil {
			var err error
			if o.Datasets, err = m.scene.Datasets(ctx, name, old); err != nil {
				time.Sleep(10 * time.Second) // as a container is started again
			}
		}
		o.Window, o.InFlight, o.Poll, o.Retry, o.OldImage, o.DropRaw = window, inFlight, poll, 10*time.Minute, old, m.dropRaw
		if m.broken != nil {
			m.broken(&o)
		}
		return o
	}
}

// seed makes a full export, as somebody would who starts `bootstrap` again until it has
// worked.
func (m *mixed) seed(again bool) {
	exporter, streaming := m.exporter(), m.streaming
	m.seeder = m.start("bootstrap", func(ctx context.Context, name string) error {
		for {
			_, err := bootstrap.Bootstrap(ctx, exporter(ctx, name, m.log.With(zap.String("worker", name))), bootstrap.Seed{Enable: true, NoStream: !streaming, Again: again})
			if err == nil || ctx.Err() != nil || again { // there may be no place for another
				return err
			}
			m.log.Info("bootstrap gave up; it is started again", zap.Error(err))
			select {
			case <-ctx.Done():
				return err
			case <-time.After(10 * time.Minute):
			}
		}
	})
}

// follow starts who has windows follow a table without a stream.
func (m *mixed) follow() {
	exporter := m.exporter()
	m.workers = append(m.workers, m.start("follower", func(ctx context.Context, name string) error {
		o := exporter(ctx, name, m.log.With(zap.String("worker", name)))
		o.Follow = true
		r, err := bootstrap.NewRepairer(o)
		if err != nil {
			return err
		}
		return r.Run(ctx)
	}))
}

// hire starts who is needed: a worker of the fleet, or a follower.
func (m *mixed) hire() {
	if m.streaming {
		m.join()
	} else {
		m.follow()
	}
}

// setStream turns the stream on or off, unless a bootstrap has turned it on already.
func (m *mixed) setStream(on bool) {
	m.streamOn = on
	if t, err := m.scene.Describe(m.ctx); err == nil && on == (t.View != "") {
		return
	}
	spec := &ddbtypes.StreamSpecification{StreamEnabled: &on}
	if on {
		spec.StreamViewType = ddbtypes.StreamViewTypeNewAndOldImages
	}
	_, err := m.db.UpdateTable(m.ctx, &dynamodb.UpdateTableInput{TableName: aws.String(scene.TableName), StreamSpecification: spec})
	m.must(err)
}

func (m *mixed) ledger() ledger.Ledger {
	l, err := m.scene.Ledger("observer").Read(m.ctx)
	m.must(err)
	return l
}

// live writes to the table for a while.
func (m *mixed) live(d time.Duration, writes int) {
	end := time.Now().Add(d)
	for i := range writes {
		m.must(m.author.Step(m.ctx))
		if m.rng.IntN(3) == 0 { // in bursts
			time.Sleep(time.Duration(m.rng.Int64N(int64(2*time.Until(end))/int64(writes-i) + 1)))
		}
	}
	time.Sleep(time.Until(end))
}
