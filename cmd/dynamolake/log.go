package main

import (
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLog writes to w, for people or for machines.
func newLog(w io.Writer, level, format string) (*zap.Logger, error) {
	l, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, err
	}
	ec := zap.NewProductionEncoderConfig()
	ec.EncodeTime = zapcore.ISO8601TimeEncoder
	ec.EncodeDuration = zapcore.StringDurationEncoder
	enc := zapcore.NewJSONEncoder(ec)
	if format == "console" {
		ec.EncodeLevel = zapcore.CapitalLevelEncoder
		ec.ConsoleSeparator = "  "
		enc = zapcore.NewConsoleEncoder(ec)
	}
	return zap.New(zapcore.NewCore(enc, zapcore.Lock(zapcore.AddSync(w)), l)), nil
}

// outputFlags declares how a command that does one thing reports it.
func outputFlags(s *settings, output, logLevel, logFormat *string) {
	s.choice(output, "output", "text", "how to print the result", "text", "json")
	logFlags(s, logLevel, logFormat)
}

func logFlags(s *settings, level, format *string) {
	s.choice(level, "log-level", "info", "least level to log", "debug", "info", "warn", "error")
	s.choice(format, "log-format", "console", "how to log", "console", "json")
}
