package bootstrap

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"dynamolake/bootstrap/ion"
	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
)

// manifest is what an export says of itself. Fields that are not here are ignored: AWS
// adds some.
type manifest struct {
	ExportARN      string    `json:"exportArn"`
	TableARN       string    `json:"tableArn"`
	TableID        string    `json:"tableId"`
	ExportTime     time.Time `json:"exportTime"`
	ExportFromTime time.Time `json:"exportFromTime"`
	ExportToTime   time.Time `json:"exportToTime"`
	FilesKey       string    `json:"manifestFilesS3Key"`
	Items          int64     `json:"itemCount"`
	Format         string    `json:"outputFormat"`
	View           string    `json:"outputView"`
	Type           string    `json:"exportType"`

	Files    []dataFile `json:"-"`
	Filtered string     `json:"-"` // the field that says that the export is a filtered one, if one does
}

// dataFile is a line of manifest-files.json.
type dataFile struct {
	Items int64  `json:"itemCount"`
	MD5   string `json:"md5Checksum"` // Base64, of the bytes as they are
	Key   string `json:"dataFileS3Key"`
}

const (
	summaryName = "manifest-summary.json"
	emptyMD5    = "FjvgqIxwymKf1RbbqtrZag==" // of the file of a partition that has nothing
)

// Damaged: an object of an export is not what its manifest says, however often it
// is read. Nothing of it is in the lake.
type Damaged struct {
	Object  string
	Problem string
}

func (d *Damaged) Error() string {
	return d.Object + " is damaged: " + d.Problem + "; nothing of it was taken, and the export waits: bring the object back as DynamoDB wrote it (an older version of it, or a copy)"
}

// Lasting is as for [Advice].
func (*Damaged) Lasting() bool { return true }

// readManifest reads the two manifests, each against its checksum, and tells where
// the export's objects are. place makes that of where the manifest says they are.
func readManifest(ctx context.Context, place func(moved) raw, path string) (*manifest, raw, error) {
	from := place(moved{})
	body, err := summed(ctx, from, path)
	if err != nil {
		return nil, nil, err
	}
	m, err := parseSummary(body)
	if err != nil {
		return nil, nil, &Damaged{from.address(path), err.Error()}
	}
	at, ok := rebase(path, m.summaryKey())
	if !ok {
		return nil, nil, &Advice{"read export " + from.address(path), "it was written as " + m.summaryKey() + "; keep the end of that path, from AWSDynamoDB/ on, so that its files can be found", nil}
	}
	from = place(at)
	if body, err = summed(ctx, from, m.FilesKey); err != nil {
		return nil, nil, err
	}
	if err := m.parseFiles(body); err != nil {
		return nil, nil, &Damaged{from.address(m.FilesKey), err.Error()}
	}
	return m, from, nil
}

// summaryKey is where DynamoDB wrote the summary: beside the other manifest.
func (m *manifest) summaryKey() string { return path.Join(path.Dir(m.FilesKey), summaryName) }

// summed reads a manifest and checks it against the object beside it. The guide
// calls that .checksum, AWS writes .md5.
func summed(ctx context.Context, from raw, key string) ([]byte, error) {
	body, err := small(ctx, from, key)
	if err != nil {
		return nil, absent(from, key, err)
	}
	stem := strings.TrimSuffix(key, ".json")
	want, err := small(ctx, from, stem+".md5")
	if errors.Is(err, writer.ErrNotFound) {
		want, err = small(ctx, from, stem+".checksum")
	}
	if err != nil {
		return nil, absent(from, stem+".md5", err)
	}
	sum := md5.Sum(body)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != strings.TrimSpace(string(want)) {
		return nil, &Damaged{from.address(key), "its MD5 is not that of " + path.Base(stem) + ".md5"}
	}
	return body, nil
}

// absent says that an object of a complete export is not there.
func absent(from raw, key string, err error) error {
	if errors.Is(err, writer.ErrNotFound) {
		return &Damaged{from.address(key), "it is not there"}
	}
	return err
}

func parseSummary(body []byte) (*manifest, error) {
	m := &manifest{}
	if err := json.Unmarshal(body, m); err != nil {
		return nil, fmt.Errorf("it is no summary: %w", err)
	}
	var all map[string]json.RawMessage
	_ = json.Unmarshal(body, &all) // it is an object: it was one just now
	for name, value := range all {
		if strings.Contains(strings.ToLower(name), "filter") && string(value) != "null" { // what AWS calls it is not known
			m.Filtered = name
		}
	}
	switch {
	case m.ExportARN == "" || m.TableARN == "" || m.FilesKey == "":
		return nil, errors.New("it lacks exportArn, tableArn or manifestFilesS3Key")
	case m.Format != "DYNAMODB_JSON" && m.Format != "ION":
		return nil, fmt.Errorf("outputFormat %q is unknown", m.Format)
	case !m.full() && (m.ExportFromTime.IsZero() || !m.ExportFromTime.Before(m.ExportToTime)):
		return nil, errors.New("exportFromTime and exportToTime make no window")
	case m.full() && m.ExportTime.IsZero():
		return nil, errors.New("it lacks exportTime")
	case !m.full() && m.view() == 0:
		return nil, fmt.Errorf("outputView %q is unknown", m.View)
	}
	return m, nil
}

// parseFiles reads manifest-files.json, whose counts must add up.
func (m *manifest) parseFiles(body []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 1<<20)
	seen := map[string]bool{}
	sum := int64(0)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var f dataFile
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return fmt.Errorf("line %d: %w", len(m.Files)+1, err)
		}
		name := writer.ExportFileName(f.Key)
		switch {
		case f.Key == "" || f.MD5 == "" || f.Items < 0:
			return fmt.Errorf("line %d lacks dataFileS3Key, md5Checksum or itemCount", len(m.Files)+1)
		case seen[name]:
			return fmt.Errorf("%s is there twice", f.Key)
		}
		seen[name] = true
		sum += f.Items
		m.Files = append(m.Files, f)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if sum != m.Items {
		return fmt.Errorf("its files have %d items, the summary counts %d", sum, m.Items)
	}
	return nil
}

func (m *manifest) full() bool { return m.Type != "INCREMENTAL_EXPORT" && m.ExportFromTime.IsZero() }

// view is how its lines are to be read; 0 when it is unknown.
func (m *manifest) view() transform.View {
	switch {
	case m.full():
		return transform.ViewFull
	case m.View == "NEW_AND_OLD_IMAGES":
		return transform.ViewNewAndOld
	case m.View == "NEW_IMAGE" || m.View == "NEW_IMAGES":
		return transform.ViewNew
	}
	return 0
}

// unpacked is the text of a data file as lines of DynamoDB JSON.
func (m *manifest) unpacked(text io.Reader) io.Reader {
	if m.Format == "ION" {
		return ion.NewReader(text)
	}
	return text
}

// times are the export's own. That of a full one is rounded down, so that windows that
// follow it begin early rather than late.
func (m *manifest) times(t ledger.Timing) (from, to time.Time) {
	if m.full() {
		return time.Time{}, m.ExportTime.UTC().Truncate(t.Resolution)
	}
	return m.ExportFromTime.UTC(), m.ExportToTime.UTC()
}

// exact tells whether times cuts nothing off.
func (m *manifest) exact(t ledger.Timing) bool {
	_, to := m.times(t)
	return !m.full() || m.ExportTime.Equal(to)
}

// filtered says why a filtered export is no part of a lake.
func filtered(export, how string) error {
	return &Advice{
		What: "export " + export,
		Fix:  "it is a filtered one (" + how + "), which does not hold the table: items that stop matching leave no trace; take one of the whole table, or make a snapshot in a place of its own with: dynamolake snapshot",
	}
}

// of checks that the export is one of the table.
func (m *manifest) of(t Table) error {
	switch {
	case m.TableARN != t.ARN:
		return &Advice{"export " + m.ExportARN, "it is of table " + m.TableARN + ", and the lake is of " + t.ARN + "; an import takes it with the explicit word that the two are the same", nil}
	case m.TableID != "" && t.ID != "" && m.TableID != t.ID:
		return &Advice{"export " + m.ExportARN, "it is of an earlier table of this name (id " + m.TableID + ", now " + t.ID + "); an import takes it with the explicit word that the two are the same", nil}
	}
	return nil
}
