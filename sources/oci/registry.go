package oci

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"caisson.dev/caisson/bundle"
)

// registry is an image in a registry. Credentials are those of docker login.
type registry struct {
	ref  name.Reference
	opts []remote.Option
}

func (s Source) openRegistry(ref reference.Named, im bundle.ImageWant) (origin, error) {
	text := reference.TagNameOnly(ref).String()
	if im.Digest != "" {
		text = ref.Name() + "@" + string(im.Digest)
	}
	r, err := name.ParseReference(text, name.StrictValidation)
	if err != nil {
		return nil, BadWant.New("cannot use image name %q: %w", im.Ref, err)
	}
	opts := []remote.Option{remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithUserAgent("caisson")}
	if s.Transport != nil {
		opts = append(opts, remote.WithTransport(s.Transport))
	}
	return &registry{ref: r, opts: opts}, nil
}

func (r *registry) with(ctx context.Context) []remote.Option {
	return append([]remote.Option{remote.WithContext(ctx)}, r.opts...)
}

func (r *registry) root(ctx context.Context) (v1.Descriptor, error) {
	d, err := remote.Get(r.ref, r.with(ctx)...)
	if err != nil {
		return v1.Descriptor{}, r.explain(ctx, r.ref.Name(), err)
	}
	return d.Descriptor, nil
}

func (r *registry) manifest(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	got, err := remote.Get(r.ref.Context().Digest(d.Digest.String()), r.with(ctx)...)
	if err != nil {
		return nil, r.explain(ctx, nameOf(d), err)
	}
	return got.Manifest, nil
}

func (r *registry) blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	layer, err := remote.Layer(r.ref.Context().Digest(d.Digest.String()), r.with(ctx)...)
	if err != nil {
		return nil, r.explain(ctx, nameOf(d), err)
	}
	body, err := layer.Compressed()
	if err != nil {
		return nil, r.explain(ctx, nameOf(d), err)
	}
	return body, nil
}

func (r *registry) close() {}

// explain turns the client's error into one that says whose turn it is.
func (r *registry) explain(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var answer *transport.Error
	if !errors.As(err, &answer) {
		return Unreachable.New("cannot get %s from %s: %w", what, r.ref.Context().RegistryStr(), err).
			Hint("check the network and proxy, and the host in the image's name")
	}
	switch answer.StatusCode {
	case http.StatusNotFound:
		return Missing.New("cannot get %s from %s: have no such image there, need it: %w", what, r.ref.Context().RegistryStr(), err).
			Hint("check name and tag; a tag may have been deleted")
	case http.StatusUnauthorized, http.StatusForbidden:
		return Refused.New("cannot get %s from %s: have answer %d, need access: %w", what, r.ref.Context().RegistryStr(), answer.StatusCode, err).
			Hint("docker login %s; a registry may also answer so for an image that does not exist", r.ref.Context().RegistryStr())
	case http.StatusTooManyRequests:
		return Refused.New("cannot get %s from %s: have answer %d, need fewer pulls: %w", what, r.ref.Context().RegistryStr(), answer.StatusCode, err).
			Hint("wait, or docker login for a higher limit; what was fetched is kept")
	}
	return Unreachable.New("cannot get %s from %s: %w", what, r.ref.Context().RegistryStr(), err)
}
