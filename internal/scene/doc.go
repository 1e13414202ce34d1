// Package scene is a table that is written to, a fleet that reads it into a lake,
// and the proof that the lake is right. The demo plays one in real time, the simulations
// play hundreds in virtual time; all are the same real consumers, repairers,
// KCL Worker and SDKs over the simulated cloud.
//
//	TestFleet   the stream alone, in minutes: who owns what, zombies, lost replies
//	TestMixed   all three sources, in days: outages, gaps, exports, streams and
//	            recovery turned off and on
//
// Each has a counterpart that breaks the promise on purpose, and must be caught.
package scene
