// Package scene is a table that is written to, a fleet that reads it into a lake,
// and the proof that the lake is right. The demo plays one in real time, the fleet
// simulation plays hundreds in virtual time; both are the same real consumers,
// KCL Worker and SDKs over the simulated cloud.
package scene
