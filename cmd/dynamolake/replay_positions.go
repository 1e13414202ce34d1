package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"dynamolake/checkpoint"
)

// readPositions reads where checkpoints stood: from what `checkpoint list --json` printed, or from the backup
// of a rewind, which has those that it moved, as they were before.
func readPositions(path string) ([]checkpoint.Row, error) {
	var file struct {
		Leases []leaseRow  `json:"leases"`
		Rows   []backupRow `json:"rows"`
	}
	body, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(body, &file)
	}
	var rows []checkpoint.Row
	for _, l := range file.Leases {
		rows = append(rows, l.row())
	}
	for _, b := range file.Rows {
		rows = append(rows, b.Before.row())
	}
	if err == nil && len(rows) == 0 {
		err = errors.New("it has no checkpoints: want what checkpoint list --json printed, or the backup of a rewind")
	}
	if err != nil {
		return nil, fmt.Errorf("--from-checkpoint=%s: %w", path, err)
	}
	return rows, nil
}
