package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// read compares every segment of the manifest with what is in the bucket.
func (a *agent) read(ctx context.Context, report *report) {
	all, err := readManifest(a.manifest)
	if err == nil && len(all) == 0 {
		err = errors.New("no segments")
	}
	report.check("there is a manifest", err)
	if err != nil {
		return
	}
	began := time.Now()
	report.check(fmt.Sprintf("%d segments are what was written, whole and in pieces", len(all)),
		forEach(a.workers, len(all), func(i int) error { return a.compare(ctx, all[i]) }))
	fmt.Printf("      %.0f segments/s, four pieces of each besides\n", float64(len(all))/time.Since(began).Seconds())
	a.compareLists(ctx, report, all)
}

// compare reads the segment whole, then pieces of it as consumers do, the last bytes among them.
func (a *agent) compare(ctx context.Context, wanted segment) error {
	whole, _, err := a.get(ctx, a.s3, wanted.Key, nil)
	if err == nil {
		err = wanted.differs(whole)
	}
	if err != nil {
		return err
	}
	for piece := range 4 {
		first := rand.IntN(wanted.Size)
		last := min(first+rand.IntN(1<<20), wanted.Size-1)
		asked := fmt.Sprintf("bytes=%d-%d", first, last)
		if piece == 0 {
			last = wanted.Size - 1
			asked = fmt.Sprintf("bytes=-%d", wanted.Size-first)
		}
		got, place, err := a.get(ctx, a.s3, wanted.Key, &asked)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, whole[first:last+1]) {
			return fmt.Errorf("%s: %s is something else", wanted.Key, asked)
		}
		if told := fmt.Sprintf("bytes %d-%d/%d", first, last, wanted.Size); place != told {
			return fmt.Errorf("%s: Content-Range is %q, wanted %q", wanted.Key, place, told)
		}
	}
	return nil
}

// get gives the bytes and their Content-Range.
func (a *agent) get(ctx context.Context, client *s3.Client, key string, asked *string) ([]byte, string, error) {
	answer, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: a.bucket, Key: &key, Range: asked})
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	return got, aws.ToString(answer.ContentRange), err
}

func (a *agent) compareLists(ctx context.Context, report *report, all []segment) {
	keys := keysOf(all)
	listed, err := a.list(ctx, "segments/", "")
	report.check("the list has all of them, in order, and nothing else", same(listed, keys, err))
	middle := len(keys) / 2
	listed, err = a.list(ctx, "segments/", keys[middle])
	report.check("the list goes on after a key", same(listed, keys[middle+1:], err))
}

// list gives the keys below a folder of the cluster, page by page.
func (a *agent) list(ctx context.Context, folder, after string) ([]string, error) {
	asked := &s3.ListObjectsV2Input{Bucket: a.bucket, Prefix: aws.String(a.folder + folder), MaxKeys: aws.Int32(37)}
	if after != "" {
		asked.StartAfter = &after
	}
	var keys []string
	for pages := s3.NewListObjectsV2Paginator(a.s3, asked); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, entry := range page.Contents {
			keys = append(keys, *entry.Key)
		}
	}
	return keys, nil
}

func keysOf(all []segment) []string {
	keys := make([]string, len(all))
	for i, one := range all {
		keys[i] = one.Key
	}
	return keys
}

// same names the first key that is not the one that it has to be.
func same(got, wanted []string, err error) error {
	if err != nil || slices.Equal(got, wanted) {
		return err
	}
	at := 0
	for at < min(len(got), len(wanted)) && got[at] == wanted[at] {
		at++
	}
	name := func(keys []string) string { return strings.Join(keys[min(at, len(keys)):min(at+1, len(keys))], "") }
	return fmt.Errorf("%d keys, wanted %d; %q stands where %q should", len(got), len(wanted), name(got), name(wanted))
}
