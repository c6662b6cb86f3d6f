package main

import (
	"context"
	"fmt"
	"os"
)

// work is what agents do with segments once they are there. Nothing is left in the end.
func (a *agent) work(ctx context.Context, report *report) {
	all, err := readManifest(a.manifest)
	if err == nil && len(all) < 2 {
		err = fmt.Errorf("%d segments are too few", len(all))
	}
	report.check("there are segments to work with", err)
	if err != nil {
		return
	}
	a.refusals(ctx, report, all[0])
	a.merge(ctx, report, all[:min(12, len(all))])
	a.giveUp(ctx, report)
	a.session(ctx, report, all[0])
	half := len(all) / 2
	a.remove(ctx, report, all[:half], keysOf(all[half:]))
	a.remove(ctx, report, all[half:], nil)
	report.check("the manifest is gone", os.Remove(a.manifest))
}
