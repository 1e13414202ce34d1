package consumer

import (
	"fmt"

	"github.com/vmware/vmware-go-kcl-v2/logger"
	"go.uber.org/zap"
)

// kclLog takes the library's messages to debug: it reports every hand-over and
// every revoked call as an error, and what matters in them this package says
// itself.
type kclLog struct{ log *zap.SugaredLogger }

func (l kclLog) Debugf(string, ...any)            {}
func (l kclLog) Infof(format string, args ...any) { l.log.Debugf(format, args...) }
func (l kclLog) Warnf(format string, args ...any) { l.log.Debugf(format, args...) }

func (l kclLog) Errorf(format string, args ...any) { l.log.Debugf(format, args...) }

// Fatalf must not end the process from inside a library; the Worker's loop turns
// the panic of its goroutine into a crash all the same.
func (l kclLog) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (l kclLog) Panicf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (l kclLog) WithFields(logger.Fields) logger.Logger { return l }
