package main

import (
	"context"

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
}

func (p *place) flags(s *settings) {
	s.text(&p.table, "table", "", "name of the DynamoDB table")
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
