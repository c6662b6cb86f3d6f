package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// remove deletes segments, a hundred with each request, and lists what has to be left.
func (a *agent) remove(ctx context.Context, report *report, gone []segment, left []string) {
	err := func() error {
		for batch := range slices.Chunk(gone, 100) {
			if err := a.removeBatch(ctx, batch); err != nil {
				return err
			}
		}
		return nil
	}()
	report.check(fmt.Sprintf("%d segments are deleted", len(gone)), err)
	listed, err := a.list(ctx, "", "")
	report.check(fmt.Sprintf("%d are left", len(left)), same(listed, left, err))
}

func (a *agent) removeBatch(ctx context.Context, batch []segment) error {
	var names []types.ObjectIdentifier
	for _, one := range batch {
		names = append(names, types.ObjectIdentifier{Key: &one.Key})
	}
	answer, err := a.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: a.bucket, Delete: &types.Delete{Objects: names}})
	if err == nil && (len(answer.Errors) > 0 || len(answer.Deleted) != len(batch)) {
		err = fmt.Errorf("%d of %d are told as deleted, %d as not", len(answer.Deleted), len(batch), len(answer.Errors))
	}
	return err
}
