package simulation

import "time"

// clock is the time of the world. Timers follow since, which only grows; what a clock on the wall shows may jump.
type clock struct {
	since time.Duration
	skew  time.Duration
}

// epoch is when every simulation begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (c *clock) wall() time.Time { return epoch.Add(c.since + c.skew) }

func (c *clock) monotonic() time.Time { return epoch.Add(c.since) }
