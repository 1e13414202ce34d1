package writer

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const completeTries = 6

// put writes what is a single part.
func (u *s3Upload) put(ctx context.Context) error {
	err := u.s.PutNew(ctx, u.key, *u.filling, u.meta)
	var final *StoreError
	if err == nil || errors.As(err, &final) || ctx.Err() != nil {
		return err
	}
	_, err = u.settle(ctx, err)
	return err
}

// complete makes the parts an object.
func (u *s3Upload) complete(ctx context.Context) error {
	over, err := u.settle(ctx, nil)
	for try := 0; !over && ctx.Err() == nil; try++ {
		_, refused := u.s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &u.s.bucket, Key: aws.String(u.s.prefix + u.key), UploadId: &u.id, IfNoneMatch: aws.String("*"),
			MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
		})
		if refused == nil {
			return nil
		}
		st := status(refused)
		unsure := st == http.StatusPreconditionFailed || st == http.StatusConflict
		if err = u.s.explain("write", u.key, refused); unsure {
			err = fmt.Errorf("write %s: %w", u.s.address(u.key), refused)
		}
		var final *StoreError
		if errors.As(err, &final) || ctx.Err() != nil {
			return err
		}
		// An upload that is complete is unknown from then on, but its object is
		// there; where it is not, the parts are lost.
		if over, err = u.settle(ctx, err); over || code(refused) == "NoSuchUpload" || try >= completeTries-1 {
			return err
		}
		if pause(ctx, try) != nil {
			return err
		}
	}
	if err == nil && !over {
		err = context.Cause(ctx)
	}
	return err
}

// settle looks who has the name: nil if it is this upload, ErrExists if it is
// another. While nobody has, or nobody can tell, it is not over, and the error stays
// as it was, but for an ErrExists that may be of the own object.
func (u *s3Upload) settle(ctx context.Context, before error) (over bool, err error) {
	_, ours, err := u.s.written(ctx, u.key, u.attempt)
	var final *StoreError
	switch {
	case ours:
		return true, nil
	case err == nil:
		return true, fmt.Errorf("write %s: %w", u.s.address(u.key), ErrExists)
	case errors.As(err, &final):
		return true, err
	case errors.Is(before, ErrExists) && !errors.Is(err, ErrNotFound):
		return false, err
	}
	return false, before
}
