package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// write adds segments under names never used before. The SDK adds a CRC32 to each: in a header, and in a trailer over TLS.
func (a *agent) write(ctx context.Context, report *report) {
	began, run := time.Now(), time.Now().UnixNano()
	written := make([]segment, a.segments)
	err := forEach(a.workers, a.segments, func(i int) error {
		key := fmt.Sprintf("%ssegments/%02x/%d-%d.batch", a.folder, i%32, run, i)
		content := contentOf(key, a.size)
		sum := sha256.Sum256(content)
		written[i] = segment{key, len(content), hex.EncodeToString(sum[:])}
		return a.put(ctx, a.s3, key, content)
	})
	took := time.Since(began)
	report.check(fmt.Sprintf("%d segments of %d bytes are written by %d workers", a.segments, a.size, a.workers), err)
	if err == nil {
		report.check("the manifest tells of them", addToManifest(a.manifest, written))
	}
	fmt.Printf("      %.0f MiB/s\n", float64(a.segments*a.size)/took.Seconds()/(1<<20))
}

// put writes an object and holds the answer against it.
func (a *agent) put(ctx context.Context, client *s3.Client, key string, content []byte) error {
	answer, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: a.bucket, Key: &key, Body: bytes.NewReader(content)})
	if err != nil {
		return err
	}
	sum := md5.Sum(content)
	if etag := strings.Trim(aws.ToString(answer.ETag), `"`); etag != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("%s: the ETag is %s, and no MD5 of what was sent", key, etag)
	}
	return nil
}

// contentOf is noise that the name tells.
func contentOf(name string, size int) []byte {
	content := make([]byte, size)
	rand.NewChaCha8(sha256.Sum256([]byte(name))).Read(content)
	return content
}
