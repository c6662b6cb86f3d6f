package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// session works with what AssumeRole gives out under a policy: reads and writes below the cluster's segments, no more.
func (a *agent) session(ctx context.Context, report *report, there segment) {
	client, err := a.assumeRole(ctx)
	report.check("a role is assumed", err)
	if err != nil {
		return
	}
	content, _, err := a.get(ctx, client, there.Key, nil)
	if err == nil {
		err = there.differs(content)
	}
	report.check("the session reads", err)
	own := a.folder + "segments/of-a-session"
	report.check("the session writes", a.put(ctx, client, own, []byte("session")))

	_, err = client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: a.bucket, Key: &own})
	report.check("the session does not delete", refused(err, "AccessDenied"))
	_, err = client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: a.bucket, Prefix: aws.String(a.folder + "segments/")})
	report.check("the session does not list", refused(err, "AccessDenied"))
	report.check("the session does not write beside", refused(a.put(ctx, client, a.folder+"beside", nil), "AccessDenied"))
	_, _, err = a.get(ctx, client, a.folder+"beside", nil)
	report.check("the session does not read beside", refused(err, "AccessDenied"))
	_, err = client.GetObject(ctx, &s3.GetObjectInput{Bucket: &a.foreign, Key: &there.Key})
	report.check("the session does not read another bucket", refused(err, "AccessDenied"))
	_, err = a.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: a.bucket, Key: &own})
	report.check("the agent's own pair deletes", err)
	_, err = a.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &a.foreign, Key: &there.Key})
	report.check("the agent's own pair does not read another bucket", refused(err, "AccessDenied"))
}

func (a *agent) assumeRole(ctx context.Context) (*s3.Client, error) {
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],
		"Resource":"arn:aws:s3:::%s/%ssegments/*"}]}`, *a.bucket, a.folder)
	service := sts.NewFromConfig(a.aws, func(options *sts.Options) { options.BaseEndpoint = a.endpoint })
	given, err := service.AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::123456789012:role/warpstream"), RoleSessionName: aws.String("tests"), Policy: &policy,
	})
	if err != nil {
		return nil, err
	}
	return s3.New(a.s3.Options(), func(options *s3.Options) {
		options.Credentials = credentials.NewStaticCredentialsProvider(
			*given.Credentials.AccessKeyId, *given.Credentials.SecretAccessKey, *given.Credentials.SessionToken)
	}), nil
}
