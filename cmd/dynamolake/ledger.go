package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/checkpoint"
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

// adopted asks the fleet's lease table whether all shards write under an epoch. Where
// no worker was ever started there is nobody to wait for.
func adopted(db *dynamodb.Client, app string) func(context.Context, int64) (bool, time.Time, error) {
	return func(ctx context.Context, epoch int64) (bool, time.Time, error) {
		table, err := checkpoint.ReadTable(ctx, db, app)
		if _, missing := errors.AsType[*ddbtypes.ResourceNotFoundException](err); missing {
			return true, time.Time{}, nil
		}
		if err != nil {
			return false, time.Time{}, err
		}
		done, through := checkpoint.Adopted(table.Leases, epoch)
		return done, through, nil
	}
}
