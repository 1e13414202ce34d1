package emulators_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestWhatIsMissingIsSaid runs a test of this package again where no tool is on
// the PATH.
func TestWhatIsMissingIsSaid(t *testing.T) {
	tests := []struct {
		name, ci string
		passes   bool
		says     string
	}{
		{"a laptop skips", "", true, "DynamoDB Local 3.1.0 cannot run here: there is no java (17 or later) on the PATH"},
		{"CI fails", "true", false, "DynamoDB Local 3.1.0 must run where CI=true: there is no java (17 or later) on the PATH"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^TestAWriteComesBackThroughTheStream$")
			cmd.Env = append(os.Environ(), "PATH=/nonexistent", "CI="+test.ci, "TMPDIR="+t.TempDir())
			out, err := cmd.CombinedOutput()
			if (err == nil) != test.passes {
				t.Errorf("the test binary ended with %v", err)
			}
			if !strings.Contains(string(out), test.says) {
				t.Errorf("output %q\nwant it to say %q", out, test.says)
			}
		})
	}
}
