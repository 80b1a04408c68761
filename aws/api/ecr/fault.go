package ecr

import (
	"errors"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/image"
)

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidParameter, format, args...)
}

func noRepository(s arn.Scope, name string) *fault.Fault {
	return fault.New(fault.RepositoryNotFound, "The repository with name '%s' does not exist in the registry with id '%s'", name, s.Account).
		WithHint("create it with `aws ecr create-repository --repository-name %s`, or look in another region than %s", name, s.Region)
}

func noImage(r *image.Repository, id string) *fault.Fault {
	return fault.New(fault.ImageNotFound, "The image with imageId %s does not exist within the repository with name '%s' in the registry with id '%s'", id, r.Name, r.Scope.Account)
}

// asFault turns an error of the registry into what callers see. What they cannot
// know, such as a storage process that is away, stays an error for the log.
func asFault(err error, r *image.Repository) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, image.ErrFull):
		return fault.New(fault.LimitExceeded, "The image could not be stored: %v", err).WithHint("delete images that are no longer needed")
	case errors.Is(err, image.ErrUploadNotFound):
		return fault.New(fault.UploadNotFound, "The upload could not be found, or the specified upload id is not valid for this repository.")
	case errors.Is(err, image.ErrPartsMissing):
		return fault.New(fault.LayersNotFound, "Layers required for pushing image into repository with name '%s' in the registry with id '%s' do not exist: %v", r.Name, r.Scope.Account, err)
	case errors.Is(err, image.ErrInvalid):
		return invalid("Invalid parameter at 'imageManifest' failed to satisfy constraint: %v", err)
	default:
		return err
	}
}
