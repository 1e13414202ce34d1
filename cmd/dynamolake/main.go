// Command dynamolake moves a DynamoDB table into a data lake and keeps it there.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/sirupsen/logrus"
)

// command is one subcommand: its flags are declared by setup, which returns what
// to run once they are read.
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
	switch {
	case len(args) > 1 && args[0] == "help":
		args = []string{args[1], "--help"}
	case len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h":
		usage(io.out)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		s := newSettings(c.name, c.summary)
		do := c.setup(s)
		switch err := s.read(args[1:], env); {
		case err == errHelp:
			s.help(io.out)
			return 0
		case err != nil:
			fmt.Fprintln(io.err, err)
			return 2
		}
		if err := do(ctx, io); err != nil {
			fmt.Fprintf(io.err, "dynamolake %s: %s\n", c.name, strings.ReplaceAll(err.Error(), "\n", "; "))
			return 1
		}
		return 0
	}
	fmt.Fprintf(io.err, "dynamolake: there is no command %q; see dynamolake --help\n", args[0])
	return 2
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "dynamolake moves a DynamoDB table into a data lake and keeps it there: complete, in order, once.")
	fmt.Fprintln(w, "\nUsage: dynamolake <command> [flags]")
	fmt.Fprintln(w)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w, "\nEvery flag has an environment variable; dynamolake <command> --help shows both.")
	fmt.Fprintln(w, "AWS settings are the SDK's own: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, ...")
}
