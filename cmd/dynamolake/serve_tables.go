package main

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"dynamolake/consumer"
	"dynamolake/internal/fleet"
	"dynamolake/internal/page"
)

// seen is what is served of one table.
type seen struct {
	mux          *http.ServeMux
	ready, alive func() []consumer.Reason
}

// see serves a table's page and probes until ctx ends.
func see(ctx context.Context, registry *prometheus.Registry, t oneTable) seen {
	history := &page.History{}
	go history.Run(ctx, t.State.Reach)
	s := seen{
		mux:   metricsOf(registry),
		ready: func() []consumer.Reason { return consumer.Ready(t.State.Facts(), t.limits) },
		alive: func() []consumer.Reason {
			if r := consumer.Alive(t.State.Facts()); r != nil {
				return []consumer.Reason{*r}
			}
			return nil
		},
	}
	watcher := fleet.NewWatcher(fleet.Place{DynamoDB: t.DynamoDB, Table: t.Table, App: t.App, Store: t.Store, Ledger: t.Ledger})
	s.mux.HandleFunc("/healthz", page.Probe(s.alive))
	s.mux.HandleFunc("/startz", page.Probe(started(1, s.ready, s.alive)))
	s.mux.HandleFunc("/readyz", page.Probe(s.ready))
	page.New(page.Options{Worker: t.Worker, Headroom: t.limits.Headroom, Read: watcher.Report, Ready: s.ready, History: history}).Serve(s.mux)
	return s
}

// started says why a worker of so many tables has not begun; once it has, only why it has to be started anew. A platform
// that waits for it puts no worker in the place of another before it has joined, and kills none for being late. A table
// that fails holds up no others, but one at least has to be read.
func started(tables int, ready, alive func() []consumer.Reason) func() []consumer.Reason {
	var begun atomic.Bool
	return func() []consumer.Reason {
		if begun.Load() {
			return alive()
		}
		var yet, failing []consumer.Reason
		for _, r := range ready() {
			switch r.Code {
			case consumer.NotBegun:
				yet = append(yet, r)
			case consumer.TableFails:
				failing = append(failing, r)
			}
		}
		if len(yet) > 0 {
			return yet
		}
		if len(failing) == tables {
			return failing
		}
		begun.Store(true)
		return alive()
	}
}

// sites are those of the tables that are read now.
type sites struct {
	worker string
	tables *consumer.Tables

	mu  sync.Mutex
	now map[string]seen
}

func newSites(worker string, tables *consumer.Tables) *sites {
	return &sites{worker: worker, tables: tables, now: map[string]seen{}}
}

// add serves a table too, until it is taken away.
func (s *sites) add(ctx context.Context, t oneTable, registry *prometheus.Registry) (away func()) {
	one := see(ctx, registry, t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now[t.Table.Name] = one
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.now, t.Table.Name)
	}
}

func (s *sites) of(table string) (seen, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.now[table]
	return one, ok
}

// ready is why single tables are not.
func (s *sites) ready(table string) []consumer.Reason {
	if one, ok := s.of(table); ok {
		return one.ready()
	}
	return []consumer.Reason{{Code: consumer.NotBegun, Text: "no stream is being read yet"}}
}

// alive has every table whose shards stand still: only a new start helps, and it is all tables'.
func (s *sites) alive() (all []consumer.Reason) {
	for _, t := range s.tables.State() {
		if one, ok := s.of(t.Table); ok {
			for _, r := range one.alive() {
				all = append(all, consumer.Reason{Code: r.Code, Text: t.Table + ": " + r.Text})
			}
		}
	}
	return all
}

// list is what the page of several tables shows.
func (s *sites) list() (list []page.Listed) {
	for _, t := range s.tables.State() {
		l := page.Listed{Table: t.Table}
		if _, l.Page = s.of(t.Table); t.Err != nil {
			l.Reasons = t.Ready(nil)
		} else {
			l.Reasons = s.ready(t.Table)
		}
		list = append(list, l)
	}
	return list
}

// siteOfMany is the site of a worker that reads several tables: a list, and the site of each behind it.
func (c *watching) siteOfMany(registry *prometheus.Registry, s *sites) *http.ServeMux {
	mux := metricsOf(registry)
	mux.HandleFunc("/healthz", page.Probe(s.alive))
	ready := func() []consumer.Reason { return s.tables.Ready(s.ready) }
	mux.HandleFunc("/startz", page.Probe(started(len(s.tables.State()), ready, s.alive)))
	mux.HandleFunc("/readyz", page.Probe(ready))
	page.ServeList(mux, s.worker, s.list)
	mux.HandleFunc("/tables/{table}/", func(w http.ResponseWriter, r *http.Request) {
		table := r.PathValue("table")
		one, ok := s.of(table)
		if !ok {
			http.Error(w, "this worker does not read a table of that name now; /readyz says why", http.StatusNotFound)
			return
		}
		http.StripPrefix("/tables/"+table, one.mux).ServeHTTP(w, r)
	})
	if c.pprof {
		profiles(mux)
	}
	return mux
}
