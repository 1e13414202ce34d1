package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"dynamolake/checkpoint"
)

// backup is the lease rows that a rewind changes, as they were and as it writes them.
type backup struct {
	Format int         `json:"format"`
	App    string      `json:"app"`
	Made   time.Time   `json:"made"`
	To     string      `json:"to"`
	Rows   []backupRow `json:"rows"`
}

type backupRow struct {
	Before leaseRow `json:"before"`
	After  leaseRow `json:"after"`
}

const backupFormat = 1

func newBackup(app, to string, plan []checkpoint.Rewound, now time.Time) backup {
	b := backup{Format: backupFormat, App: app, Made: now.UTC(), To: to}
	for _, re := range plan {
		if re.Stays == "" {
			b.Rows = append(b.Rows, backupRow{leaseRowOf(re.Row), leaseRowOf(re.After())})
		}
	}
	return b
}

// write makes the file, which must not exist, durably: it comes before the rows are changed.
func (b backup) write(path string) error {
	body, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("no lease was moved: backup %s exists already; give another --backup", path)
	}
	if err == nil {
		_, err = f.Write(append(body, '\n'))
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return fmt.Errorf("no lease was moved: backup %s cannot be written: %w", path, err)
	}
	return nil
}

func readBackup(path string) (b backup, err error) {
	body, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(body, &b)
	}
	if err == nil && b.Format != backupFormat {
		err = fmt.Errorf("it is of format %d, this program knows %d", b.Format, backupFormat)
	}
	if err == nil && b.App == "" {
		err = errors.New("it names no lease table")
	}
	if err != nil {
		return b, fmt.Errorf("backup %s: %w", path, err)
	}
	return b, nil
}
