package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// forEach does it for 0 to count-1 by that many workers; all of it, whatever fails in between.
func forEach(workers, count int, do func(int) error) error {
	var next, failures atomic.Int64
	var once sync.Once
	var first error
	var all sync.WaitGroup
	for range min(workers, count) {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					failures.Add(1)
					once.Do(func() { first = err })
				}
			}
		}()
	}
	all.Wait()
	if first != nil {
		return fmt.Errorf("%d of %d, the first: %w", failures.Load(), count, first)
	}
	return nil
}
