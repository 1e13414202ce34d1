//go:build race

package scene_test

// The race detector makes a history six times as expensive; make test plays the
// full number without it.
const (
	fleetSeeds   = 10
	mixedDefault = 3
)
