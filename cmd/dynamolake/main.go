// Command dynamolake moves a DynamoDB table into a data lake and keeps it there.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // expressions name time zones, and the image has no files of them

	"github.com/sirupsen/logrus"
)

// command is one subcommand: its flags are declared by setup, which returns what
// to run once they are read. A name of two words ("checkpoint list") is one of a group.
type command struct {
	name, summary string
	setup         func(*settings) func(context.Context, streams) error
}

// streams are where a command reads and prints.
type streams struct {
	out, err io.Writer
}

func commands() []command {
	return []command{
		{"demo", "the whole path on an embedded AWS, with a worker killed and one frozen; proves lake == table", demoCommand},
		{"bootstrap", "the whole table into the lake, by a full export; goes on where it was", bootstrapCommand},
		{"incremental", "what changed since, and what the stream lost, by windows of incremental exports", incrementalCommand},
		{"consume", "one member of the fleet that reads a table's stream into the lake", consumeCommand},
		{"verify", "proves the lake, from end to end; compares it with the table or an export", verifyCommand},
		{"status", "leases, lag, headroom and gaps of a fleet", statusCommand},
		{"replay", "reads the stream, converts an export or restores rejects again, into a place of its own beside the live lake", replayCommand},
		{"snapshot", "a part of the table as it is now, selected by AWS before it exports, into a place of its own beside the live lake", snapshotCommand},
		{"checkpoint list", "the lease rows of a fleet, as they are", checkpointListCommand},
		{"checkpoint show", "one lease row, beside where the shard's files in the lake end", checkpointShowCommand},
		{"checkpoint rewind", "moves checkpoints back, with a backup, so that a stopped fleet looks for what is missing", checkpointRewindCommand},
		{"checkpoint move", "moves a table's positions to the lease table of a fleet that reads several tables", checkpointMoveCommand},
		{"checkpoint restore", "puts back what a rewind changed, where nothing has changed since", checkpointRestoreCommand},
		{"schema infer", "writes a schema file for a table, from an export, the lake's rows or some of the table", schemaInferCommand},
		{"schema show", "the schema in the lake: a version, all versions, or its columns and what does not fit into them", schemaShowCommand},
		{"schema check", "every problem of a schema file with its line; tries it on items of an export or the lake", schemaCheckCommand},
		{"schema diff", "what a schema file, or another version, would change", schemaDiffCommand},
		{"health", "asks the worker of this machine whether it is alive, has begun, or is ready; the health check of the image", healthCommand},
		{"config", "what a command would run with, and where each value comes from: config [<command>] [its flags]", configCommand},
		{"advise", "which pattern fits a table: weighted matrix, findings, monthly costs and the commands to start", adviseCommand},
	}
}

func main() {
	// The KCL library logs some lines through the global logger; what matters in
	// them the consumer says itself.
	logrus.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Environ(), streams{out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// run is main without the process: 0 done, 1 failed or not proven, 2 not
// understood.
func run(ctx context.Context, args, env []string, io streams) int {
	if len(args) > 1 && args[0] == "help" {
		args = append(args[1:len(args):len(args)], "--help")
	}
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		usage(io.out, commands())
		return 0
	}
	c, flags, ok := find(args)
	if !ok {
		return noCommand(args, io)
	}
	s := newSettings(c.name, c.summary)
	do := c.setup(s)
	switch err := s.read(flags, env); {
	case err == errHelp:
		s.help(io.out)
		return 0
	case err != nil:
		if s.show != nil {
			s.show(io) //nolint:errcheck // the problems matter more
		}
		fmt.Fprintln(io.err, err)
		return 2
	}
	if err := do(ctx, io); err != nil {
		if wrong, ok := errors.AsType[unusable](err); ok {
			fmt.Fprintln(io.err, s.refusal(wrong))
			return 2
		}
		fmt.Fprintf(io.err, "dynamolake %s: %s\n", c.name, strings.ReplaceAll(err.Error(), "\n", "; "))
		return 1
	}
	return 0
}

// find is the command whose words args begin with, and what follows them.
func find(args []string) (c command, flags []string, ok bool) {
	if len(args) > 1 && args[0] == "config" && !strings.HasPrefix(args[1], "-") {
		if c, flags, ok = find(args[1:]); ok && c.name != "config" {
			c.setup = configOf(c)
			c.name = "config " + c.name
		}
		return c, flags, ok
	}
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return c, args[len(words):], true
		}
	}
	return command{}, nil, false
}

// noCommand answers who named no command: a group alone is shown.
func noCommand(args []string, io streams) int {
	if len(args) > 1 && args[0] == "config" {
		args = args[1:]
	}
	word, see := args[0], "dynamolake"
	if group := groupOf(word); len(group) > 0 {
		if len(args) == 1 || args[1] == "--help" || args[1] == "-h" {
			usage(io.out, group)
			return 0
		}
		see += " " + word
		if !strings.HasPrefix(args[1], "-") {
			word += " " + args[1]
		}
	}
	fmt.Fprintf(io.err, "dynamolake: there is no command %q; see %s --help\n", word, see)
	return 2
}

// groupOf are the commands whose names begin with that word and have another.
func groupOf(word string) (group []command) {
	for _, c := range commands() {
		if strings.HasPrefix(c.name, word+" ") {
			group = append(group, c)
		}
	}
	return group
}

func usage(w io.Writer, list []command) {
	fmt.Fprintln(w, "dynamolake moves a DynamoDB table into a data lake and keeps it there: complete, in order, once.")
	fmt.Fprintln(w, "\nUsage: dynamolake <command> [flags]")
	fmt.Fprintln(w)
	width := 0
	for _, c := range list {
		width = max(width, len(c.name))
	}
	for _, c := range list {
		fmt.Fprintf(w, "  %-*s %s\n", width+1, c.name, c.summary)
	}
	fmt.Fprintln(w, "\nEvery flag has an environment variable; dynamolake <command> --help shows both.")
	fmt.Fprintln(w, "AWS settings are the SDK's own: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, ...")
}
