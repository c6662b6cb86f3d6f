package main

import "fmt"

// report says what holds, a line for each check, as the other drivers do.
type report struct{ passed, failed int }

// check is passed if there is no error.
func (r *report) check(what string, err error) {
	if err != nil {
		r.failed++
		fmt.Printf("FAIL  %s: %v\n", what, err)
		return
	}
	r.passed++
	fmt.Println("ok   ", what)
}

func (r *report) end() int {
	fmt.Printf("%d passed, %d failed, 0 skipped\n", r.passed, r.failed)
	return min(r.failed, 1)
}
