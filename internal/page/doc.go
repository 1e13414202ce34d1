// Package page shows a fleet in a browser: one page that each worker serves for all of them.
//
// What is drawn is computed by pure functions, from a [fleet.Report] to rectangles: [timeline], [lineage],
// [spark]. The templates only write it down, and html/template escapes every name. There
// is no build step and nothing from elsewhere: the page works without the internet, and without
// its script too, which does no more than fetch it again.
//
// The report is read at most every few seconds, once at a time, for all who look: see [Page].
package page
