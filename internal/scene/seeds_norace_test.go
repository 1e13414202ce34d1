//go:build !race

package scene_test

const (
	fleetSeeds   = 200
	mixedDefault = 100
)
