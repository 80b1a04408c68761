package load

import (
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"

	"github.com/berthhq/berth/domain/image"
)

// Annotations by which tools name the images of a layout: containerd and docker
// with a whole name, others with a whole name or only a tag.
const (
	annotationName = "io.containerd.image.name"
	annotationRef  = "org.opencontainers.image.ref.name"
)

// errAbsent means a blob that the archive lists but does not hold, as happens with
// the platforms that were never pulled.
var errAbsent = errors.New("is missing")

// fromLayout reads an OCI image layout, which `docker save` writes too since
// version 25.
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
func (a *archive) fromLayout(processor string) ([]*picture, error) {
	var index v1.IndexManifest
	if _, err := a.document("index.json", &index); err != nil {
		return nil, err
	}
	var found []*picture
	for _, d := range index.Manifests {
		p, err := a.top(d, processor)
		if err != nil {
			return nil, err
		}
		known := false
		for _, other := range found { // one image under several names has several entries
			if other.digest() == p.digest() {
				other.names = append(other.names, layoutNames(d)...)
				known = true
			}
		}
		if !known {
			p.names = layoutNames(d)
			found = append(found, p)
		}
	}
	return found, nil
}

// layoutNames reads the name of an entry; none when it only has a tag.
func layoutNames(d v1.Descriptor) []image.Reference {
	for _, key := range []string{annotationName, annotationRef} {
		text := d.Annotations[key]
		if !strings.ContainsAny(text, ":/") {
			continue
		}
		if r, err := image.ParseReference(text); err == nil && r.Digest == "" {
			return []image.Reference{withTag(r)}
		}
	}
	return nil
}

// top reads an entry of the layout's index: an image, or an index of images. Of an
// index that lists images the archive does not hold, the one for the processor is
// taken.
func (a *archive) top(d v1.Descriptor, processor string) (*picture, error) {
	if !d.MediaType.IsIndex() {
		return a.layoutImage(d)
	}
	p, err := a.layoutIndex(d)
	if !errors.Is(err, errAbsent) {
		return p, err
	}
	var index v1.IndexManifest
	if _, err := a.blob("the index", d.Digest, &index); err != nil {
		return nil, err
	}
	for _, child := range index.Manifests {
		if child.Platform != nil && child.Platform.OS == "linux" && child.Platform.Architecture == processor && child.MediaType.IsImage() {
			return a.layoutImage(child)
		}
	}
	return nil, fmt.Errorf("it holds only a part of its index, and no image for linux/%s: %w", processor, err)
}

func (a *archive) layoutIndex(d v1.Descriptor) (*picture, error) {
	var index v1.IndexManifest
	raw, err := a.blob("the index", d.Digest, &index)
	if err != nil {
		return nil, err
	}
	p := &picture{}
	all := &album{raw: raw, mediaType: d.MediaType, manifest: &index, images: map[v1.Hash]v1.Image{}, albums: map[v1.Hash]v1.ImageIndex{}}
	for _, child := range index.Manifests {
		var inner *picture
		if child.MediaType.IsIndex() {
			inner, err = a.layoutIndex(child)
		} else {
			inner, err = a.layoutImage(child)
		}
		if err != nil {
			return nil, err
		}
		p.parts = append(p.parts, inner.parts...)
		all.images[child.Digest], all.albums[child.Digest] = inner.image, inner.index
	}
	p.index = all
	return p, nil
}

func (a *archive) layoutImage(d v1.Descriptor) (*picture, error) {
	var manifest v1.Manifest
	raw, err := a.blob("the manifest", d.Digest, &manifest)
	if err != nil {
		return nil, err
	}
	s := &sheet{manifest: raw, mediaType: d.MediaType, parts: map[v1.Hash]*part{}}
	p := &picture{}
	add := func(title string, d v1.Descriptor) error {
		where, path, err := a.locate(title, d)
		if err != nil {
			return err
		}
		piece := &part{archive: a, where: where, path: path, title: title, hash: d.Digest, mediaType: d.MediaType}
		p.parts = append(p.parts, piece)
		s.parts[d.Digest] = piece
		return nil
	}
	for i, layer := range manifest.Layers {
		if err := add(fmt.Sprintf("layer %d of %d", i+1, len(manifest.Layers)), layer); err != nil {
			return nil, err
		}
	}
	if err := add("the config", manifest.Config); err != nil {
		return nil, err
	}
	var anything any
	if s.config, err = a.blob("the config", manifest.Config.Digest, &anything); err != nil {
		return nil, err
	}
	p.image, err = partial.CompressedToImage(s)
	return p, err
}

// locate finds a blob and compares its size.
func (a *archive) locate(title string, d v1.Descriptor) (member, string, error) {
	path := blobPath(d.Digest)
	m, ok := a.find(path)
	if !ok {
		return m, path, fmt.Errorf("%s (%s) %w", title, path, errAbsent)
	}
	if m.size != d.Size {
		return m, path, fmt.Errorf("%s (%s) has %d bytes, and should have %d", title, path, m.size, d.Size)
	}
	return m, path, nil
}

// blob reads a JSON blob and compares its digest.
func (a *archive) blob(title string, h v1.Hash, v any) ([]byte, error) {
	path := blobPath(h)
	m, ok := a.find(path)
	if !ok {
		return nil, fmt.Errorf("%s (%s) %w", title, path, errAbsent)
	}
	if got, err := hash(a.section(m)); err != nil || got != h {
		return nil, fmt.Errorf("%s (%s): its content has the digest %s, and should have %s", title, path, got, h)
	}
	return a.document(path, v)
}

func blobPath(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
