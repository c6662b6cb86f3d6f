package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// refusals are answers that an agent tells apart by their code.
func (a *agent) refusals(ctx context.Context, report *report, there segment) {
	absent := a.folder + "segments/absent"
	_, _, err := a.get(ctx, a.s3, absent, nil)
	report.check("an absent segment is told", refused(err, "NoSuchKey"))
	beyond := fmt.Sprintf("bytes=%d-", there.Size)
	_, _, err = a.get(ctx, a.s3, there.Key, &beyond)
	report.check("a piece behind the end is told", refused(err, "InvalidRange"))
	_, err = a.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: a.bucket, Key: &absent, Body: bytes.NewReader([]byte("damaged")), ChecksumCRC32: aws.String("AAAAAA=="),
	})
	report.check("what was damaged on the way is not taken", refused(err, "BadDigest"))
	_, err = a.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: a.bucket, Key: &absent})
	report.check("nothing of it is there", refused(err, "NotFound"))
}
