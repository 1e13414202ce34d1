package consumer

import (
	"fmt"

	"dynamolake/checkpoint"
)

// scopeOf says how a table's leases are told from those of others in its lease table. A lease table
// that was begun for one table stays so: whose rows its plain keys are nothing in it tells.
func scopeOf(o Options, leases checkpoint.Table) (checkpoint.Scope, error) {
	switch {
	case o.Many && !leases.Multi && len(leases.Leases) > 0:
		return checkpoint.Scope{}, ForGood(fmt.Errorf("lease table %s is of a fleet that reads one table; give --app another name for the fleet of several, or go on with one table in a fleet of its own", o.App))
	case !o.Many && !leases.Multi:
		return checkpoint.Scope{}, nil
	}
	return checkpoint.Scope{Region: o.Table.Region, Account: o.Table.Account, Table: o.Table.Name}, nil
}
