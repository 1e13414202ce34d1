//go:build race

package bubble

const detecting = true
