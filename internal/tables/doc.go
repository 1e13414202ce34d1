// Package tables reads the file that lists the tables of one fleet, each with settings of its
// own. What it does not understand it refuses, with the line.
package tables
