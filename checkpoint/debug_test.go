package checkpoint

import (
	"os"

	"go.uber.org/zap"
)

func debugLog() *zap.Logger {
	if os.Getenv("DEBUG_KEEPER") == "" {
		return nil
	}
	l, _ := zap.NewDevelopment()
	return l
}
