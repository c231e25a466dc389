package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/fetch"
)

// registry is an image in a registry. go-containerregistry logs in, with the
// credentials of docker login; all that has a digest comes by package fetch,
// which resumes, tries again and checks.
type registry struct {
	ref   name.Reference
	store *bundle.Store
	plain *fetch.Client

	mu sync.Mutex
	in *fetch.Client // plain, logged in
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
	client := s.Fetch
	if client == nil {
		client = fetch.Default()
	}
	return &registry{ref: r, store: s.Store, plain: client}, nil
}

// accepted are the forms of manifests that are asked for. Schema 1 is there to
// be refused in our own words.
var accepted = strings.Join([]string{
	string(types.OCIManifestSchema1), string(types.OCIImageIndex), string(types.DockerManifestSchema2), string(types.DockerManifestList),
	string(types.DockerManifestSchema1Signed), string(types.DockerManifestSchema1)}, ",")

// login finds out how the registry wants to be asked, once.
func (r *registry) login(ctx context.Context) (*fetch.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.in != nil {
		return r.in, nil
	}
	repo := r.ref.Context()
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, repo)
	if err != nil {
		return nil, err
	}
	err = r.again(ctx, func(ctx context.Context) error {
		t, err := transport.NewWithContext(ctx, repo.Registry, auth, transport.NewUserAgent(r.plain.Transport(), "caisson"), []string{repo.Scope(transport.PullScope)})
		if err == nil {
			r.in = r.plain.Through(t)
		}
		return err
	})
	if err != nil {
		return nil, r.explain(ctx, r.ref.Name(), err)
	}
	return r.in, nil
}

// again repeats a small exchange of a few requests. Twice the stall limit is
// plenty for each try.
func (r *registry) again(ctx context.Context, try func(context.Context) error) error {
	limit := 2 * r.plain.StallLimit()
	return r.plain.Repeat(ctx, func() (bool, error) {
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		err := try(limited)
		var answer *transport.Error
		switch {
		case err != nil && limited.Err() != nil && ctx.Err() == nil:
			err = fmt.Errorf("have no whole answer after %s: %w", limit, err)
		case errors.As(err, &answer) && answer.StatusCode < 500 && answer.StatusCode != http.StatusTooManyRequests && answer.StatusCode != http.StatusRequestTimeout:
			err = fetch.Permanent(err)
		}
		return false, err
	})
}

func (r *registry) url(kind, id string) string {
	repo := r.ref.Context()
	return fmt.Sprintf("%s://%s/v2/%s/%s/%s", repo.Scheme(), repo.RegistryStr(), repo.RepositoryStr(), kind, id)
}

// root asks what the name stands for. What it answers is only a name for bytes:
// the manifest itself is brought, and checked, by its digest.
func (r *registry) root(ctx context.Context) (v1.Descriptor, error) {
	client, err := r.login(ctx)
	if err != nil {
		return v1.Descriptor{}, err
	}
	var d v1.Descriptor
	var raw []byte
	err = r.again(ctx, func(ctx context.Context) error {
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url("manifests", r.ref.Identifier()), nil)
		if err != nil {
			return fetch.Permanent(err)
		}
		q.Header.Set("Accept", accepted)
		resp, err := client.HTTP.Do(q)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if err := transport.CheckError(resp, http.StatusOK); err != nil {
			return err
		}
		d.MediaType = types.MediaType(resp.Header.Get("Content-Type"))
		raw, err = io.ReadAll(io.LimitReader(resp.Body, int64(maxManifest)+1))
		return err
	})
	if err != nil {
		return v1.Descriptor{}, r.explain(ctx, r.ref.Name(), err)
	}
	have := digest.Of(raw)
	if pinned, ok := r.ref.(name.Digest); ok && pinned.DigestStr() != string(have) {
		return v1.Descriptor{}, bundle.DigestMismatch.New("cannot use %s: have %s (%d bytes), need %s", r.ref.Name(), have, len(raw), pinned.DigestStr()).
			Hint("the registry, or something on the way, gives other bytes than it was asked for")
	}
	d.Size = int64(len(raw))
	d.Digest, err = v1.NewHash(string(have))
	return d, err
}

func (r *registry) manifest(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	req := fetch.Request{URL: r.url("manifests", d.Digest.String()), Digest: digest.Digest(d.Digest.String()), Size: d.Size, Max: maxManifest, Accept: accepted}
	if _, err := r.get(ctx, r.store, d, req, nil); err != nil {
		return nil, err
	}
	return os.ReadFile(r.store.Path(req.Digest))
}

func (r *registry) bring(ctx context.Context, store *bundle.Store, d v1.Descriptor, progress func(done int64)) error {
	// Size 0 means "not known" there, and here an empty blob: Max 1 bounds it.
	req := fetch.Request{URL: r.url("blobs", d.Digest.String()), Digest: digest.Digest(d.Digest.String()), Size: d.Size, Max: 1}
	n, err := r.get(ctx, store, d, req, func(done, _ int64) { progress(done) })
	if err == nil && n != d.Size {
		return otherSize(d, n)
	}
	return err
}

func (r *registry) get(ctx context.Context, store *bundle.Store, d v1.Descriptor, req fetch.Request, progress func(done, total int64)) (int64, error) {
	client, err := r.login(ctx)
	if err != nil {
		return 0, err
	}
	_, n, err := client.Get(ctx, store, req, progress)
	return n, recode(d, err)
}

func (r *registry) close() {}

// recode gives a fault of package fetch the code that speaks of registries.
func recode(d v1.Descriptor, err error) error {
	all := fault.All(err)
	if len(all) == 0 {
		return err
	}
	as := map[string]fault.Kind{fetch.Unreachable.Code: Unreachable, fetch.NotFound.Code: Missing, fetch.Refused.Code: Refused, fetch.Oversize.Code: BadDescriptor}
	kind, ok := as[all[0].Code]
	if !ok {
		return err
	}
	return &fault.Fault{Kind: kind, What: "cannot get " + nameOf(d) + ": " + all[0].What, Hints: all[0].Hints, Cause: all[0].Cause}
}

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
