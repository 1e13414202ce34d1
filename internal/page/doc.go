// Package page shows a fleet as a page.
package page
