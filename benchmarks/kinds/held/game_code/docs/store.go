// Package store keeps the high scores in a single file.
package store

import "time"

// flushEvery is short because the kiosk is switched off at the wall.
const flushEvery = 8 * time.Second

// maxEntries limits the table; the lowest score is dropped.
const maxEntries = 500

// Entry is one line of the table.
type Entry struct {
	Player string    // at most 12 letters
	Points int
	When   time.Time // UTC
}

// Add returns the rank of the new entry, or -1 if it did not get in.
func (s *Store) Add(e Entry) int {
	return s.insert(e)
}

// Banned names are read from banned.txt, one a line.
