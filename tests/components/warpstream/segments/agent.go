package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// agent is what all workers share.
type agent struct {
	settings
	bucket   *string
	folder   string // of the cluster, ends in a slash
	endpoint *string
	aws      aws.Config
	s3       *s3.Client
}

// newAgent reads a URL as WarpStream documents it: s3://BUCKET?region=...&s3ForcePathStyle=true&endpoint=...&prefix=...
func newAgent(ctx context.Context, address string, given settings) (*agent, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	told := parsed.Query()
	if parsed.Scheme != "s3" || parsed.Host == "" || told.Get("endpoint") == "" || told.Get("region") == "" {
		return nil, fmt.Errorf("%q leads to no endpoint", address)
	}
	shared, err := config.LoadDefaultConfig(ctx, config.WithRegion(told.Get("region")))
	if err != nil {
		return nil, err
	}
	made := &agent{
		settings: given,
		bucket:   aws.String(parsed.Host),
		folder:   told.Get("prefix") + "warpstream/" + given.cluster + "/",
		endpoint: aws.String(told.Get("endpoint")),
		aws:      shared,
	}
	pathStyle := told.Get("s3ForcePathStyle") == "true"
	made.s3 = s3.NewFromConfig(shared, func(options *s3.Options) {
		options.BaseEndpoint, options.UsePathStyle = made.endpoint, pathStyle
	})
	return made, nil
}

// refused tells whether the server answered with this code, and what it was otherwise.
func refused(err error, code string) error {
	var answer smithy.APIError
	switch {
	case err == nil:
		return fmt.Errorf("it was done; wanted %s", code)
	case errors.As(err, &answer) && answer.ErrorCode() == code:
		return nil
	default:
		return fmt.Errorf("wanted %s: %w", code, err)
	}
}
