package main

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
)

// Where the ledger is kept.
const (
	stateLake     = "lake"
	stateDynamoDB = "dynamodb"
	// ledgerTable holds the ledgers of all lakes and tables of an account and region.
	ledgerTable = "dynamolake-ledgers"
)

// stateFlag declares --state.
func stateFlag(s *settings, dst *string) {
	s.choice(dst, "state", stateLake, "where the ledger is kept: in the lake, or in the DynamoDB table "+ledgerTable+", for stores without conditional writes of changed objects; the same for all commands", stateLake, stateDynamoDB)
}

// place says which table and which lake are meant.
type place struct {
	table, lake, app, state string
	into                    string // the place of a replay; empty: the table's own part of the lake
}

// intoFlag declares --into for a command that looks at a lake.
func intoFlag(s *settings, dst *string) {
	s.parsed(dst, "into", "name", "", "look at what a replay wrote into the place of that name, beside the table's own part of the lake", checkInto)
}

// placeFlag declares --into for a command that writes into a place.
func placeFlag(s *settings, dst *string) {
	s.parsed(dst, "into", "name", "", "name of the place to write into, beside the table's own part of the lake; the same again goes on where it was", checkInto)
	s.required("into")
}

// checkInto accepts what may stand in the names of objects and of tables.
func checkInto(name string) error {
	if len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
		return errors.New("want up to 64 letters, digits, dots, dashes and underscores")
	}
	return nil
}

// leaseTableOf is the lease table of a table's fleet, or of a replay. Where the fleet's may be that of several
// tables, the replay's names its table: places of two tables may have one name.
func leaseTableOf(app, table, into string) string {
	own := leaseTable("", table)
	switch {
	case into == "":
		return leaseTable(app, table)
	case app == "" || app == own:
		return own + "-replay-" + into
	}
	return app + "-replay-" + table + "-" + into
}

func (p *place) flags(s *settings) {
	s.table(&p.table, "name of the DynamoDB table")
	s.required("table")
	p.lakeFlags(s, "name of the lease table, shared by the fleet; dynamolake-<table> when empty")
}

// lakeFlags are those that say where the lake and the leases are.
func (p *place) lakeFlags(s *settings, app string) {
	s.parsed(&p.lake, "lake", "address", "", "where the lake lies: s3://bucket/prefix or file:///folder", checkLake)
	s.required("lake")
	s.text(&p.app, "app", "", app)
	stateFlag(s, &p.state)
}

// openLedger returns the ledger of a table. lake is the lake's address.
func openLedger(ctx context.Context, state, lake string, store writer.Lake, db *dynamodb.Client, tablePrefix, tableARN string) (*ledger.Store, error) {
	if state == stateDynamoDB {
		reg, err := ledger.OpenDynamoDB(ctx, db, ledgerTable, lake+" "+tablePrefix)
		if err != nil {
			return nil, err
		}
		return ledger.NewStore(reg, tableARN), nil
	}
	return ledger.NewStore(ledger.Document(store, tablePrefix+ledger.Key, writer.ErrNotFound, writer.ErrChanged), tableARN), nil
}
