package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const partSize = 8 << 20

// merge makes one object of many segments, uploaded in parts from a stream whose length nobody knows, and reads it back
// in parts. What is too small for parts is one PUT.
func (a *agent) merge(ctx context.Context, report *report, merged []segment) {
	var content []byte
	for _, one := range merged {
		piece, _, err := a.get(ctx, a.s3, one.Key, nil)
		if err != nil {
			report.check("segments are read to be merged", err)
			return
		}
		content = append(content, piece...)
	}
	sum := sha256.Sum256(content)
	made := segment{a.folder + "merged", len(content), hex.EncodeToString(sum[:])}
	upload := manager.NewUploader(a.s3, func(u *manager.Uploader) { u.PartSize, u.Concurrency = partSize, 4 })
	_, err := upload.Upload(ctx, &s3.PutObjectInput{Bucket: a.bucket, Key: &made.Key, Body: stream{bytes.NewReader(content)}})
	report.check(fmt.Sprintf("%d segments are merged into %d bytes", len(merged), len(content)), err)
	buffer := manager.NewWriteAtBuffer(make([]byte, 0, len(content)))
	download := manager.NewDownloader(a.s3, func(d *manager.Downloader) { d.PartSize, d.Concurrency = partSize, 4 })
	_, err = download.Download(ctx, buffer, &s3.GetObjectInput{Bucket: a.bucket, Key: &made.Key})
	if err == nil {
		err = made.differs(buffer.Bytes())
	}
	report.check("what was merged is what the segments were", err)
	_, err = a.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: a.bucket, Key: &made.Key})
	report.check("it is deleted", err)
}

// giveUp begins an upload and ends it: its parts are gone, and no object comes of it.
func (a *agent) giveUp(ctx context.Context, report *report) {
	key := aws.String(a.folder + "given-up")
	begun, err := a.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: a.bucket, Key: key})
	report.check("an upload is begun", err)
	if err != nil {
		return
	}
	part := func() error {
		_, err := a.s3.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: a.bucket, Key: key, UploadId: begun.UploadId, PartNumber: aws.Int32(1), Body: bytes.NewReader(contentOf(*key, 1<<20)),
		})
		return err
	}
	report.check("a part is uploaded", part())
	_, err = a.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: a.bucket, Key: key, UploadId: begun.UploadId})
	report.check("the upload is given up", err)
	report.check("it takes no more parts", refused(part(), "NoSuchUpload"))
	_, err = a.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: a.bucket, Key: key})
	report.check("no object came of it", refused(err, "NotFound"))
}

// stream hides that its bytes can be sought.
type stream struct{ io.Reader }
