package load

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/berthhq/berth/domain/image"
)

// fromDocker reads the form of `docker save` before version 25: a manifest.json
// that names a config and layers by path. Layers go to the registry as they are,
// mostly not compressed: compressing them here and unpacking them on every host
// would cost more than the disk they save.
// https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format
func (a *archive) fromDocker() ([]*picture, error) {
	var entries []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if _, err := a.document("manifest.json", &entries); err != nil {
		return nil, err
	}
	var found []*picture
	for _, e := range entries {
		p, err := a.dockerImage(e.Config, e.Layers)
		if err != nil {
			return nil, err
		}
		if p.names, err = parseNames(e.RepoTags); err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, nil
}

func parseNames(texts []string) ([]image.Reference, error) {
	var names []image.Reference
	for _, text := range texts {
		r, err := image.ParseReference(text)
		if err != nil {
			return nil, fmt.Errorf("manifest.json: %w", err)
		}
		names = append(names, withTag(r))
	}
	return names, nil
}

func (a *archive) dockerImage(configPath string, layerPaths []string) (*picture, error) {
	var config v1.ConfigFile
	configText, err := a.document(configPath, &config)
	if err != nil {
		return nil, fmt.Errorf("the image's config: %w", err)
	}
	if len(config.RootFS.DiffIDs) != len(layerPaths) {
		return nil, fmt.Errorf("manifest.json lists %d layers, and the config %s lists %d", len(layerPaths), configPath, len(config.RootFS.DiffIDs))
	}
	configPart, err := a.newPart("the config", configPath, types.OCIConfigJSON)
	if err != nil {
		return nil, err
	}
	p := &picture{parts: []*part{configPart}}
	s := &sheet{config: configText, mediaType: types.OCIManifestSchema1, parts: map[v1.Hash]*part{configPart.hash: configPart}}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: configPart.descriptor()}
	for i, path := range layerPaths {
		layer, err := a.dockerLayer(fmt.Sprintf("layer %d of %d", i+1, len(layerPaths)), path, config.RootFS.DiffIDs[i])
		if err != nil {
			return nil, err
		}
		p.parts = append(p.parts, layer)
		s.parts[layer.hash] = layer
		manifest.Layers = append(manifest.Layers, layer.descriptor())
	}
	if s.manifest, err = json.Marshal(manifest); err != nil {
		return nil, err
	}
	p.image, err = partial.CompressedToImage(s)
	return p, err
}

// dockerLayer finds a layer and compares its content with what the config says it
// unpacks to.
func (a *archive) dockerLayer(title, path string, diffID v1.Hash) (*part, error) {
	p, err := a.newPart(title, path, types.OCIUncompressedLayer)
	if err != nil {
		return nil, err
	}
	p.diffID = diffID
	head, _ := bufio.NewReaderSize(a.section(p.where), 16).Peek(4)
	unpacked := p.hash
	switch compression(head) {
	case "gzip":
		p.mediaType = types.OCILayer
		unpacked, err = a.hashUnpacked(p)
	case "zstd":
		p.mediaType = types.OCILayerZStd
		unpacked, err = a.hashUnpacked(p)
	}
	if err != nil {
		return nil, fmt.Errorf("%s (%s): %w", title, path, err)
	}
	if unpacked != diffID {
		return nil, fmt.Errorf("%s (%s): its content has the digest %s, and should have %s", title, path, unpacked, diffID)
	}
	return p, nil
}

func (a *archive) hashUnpacked(p *part) (v1.Hash, error) {
	r, err := decompress(a.section(p.where), p.path)
	if err != nil {
		return v1.Hash{}, err
	}
	h, err := hash(r)
	if c, ok := r.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return h, err
}

// newPart finds a file whose digest is not known yet and computes it.
func (a *archive) newPart(title, path string, mediaType types.MediaType) (*part, error) {
	m, ok := a.find(path)
	if !ok {
		return nil, fmt.Errorf("%s (%s) is missing", title, path)
	}
	h, err := hash(a.section(m))
	if err != nil {
		return nil, fmt.Errorf("%s (%s): %w", title, path, err)
	}
	// docker save names a config after its digest; a name that lies is corruption.
	if stem, isConfig := strings.CutSuffix(path, ".json"); isConfig && len(stem) == 64 && stem != h.Hex {
		return nil, fmt.Errorf("%s (%s): its content has the digest %s", title, path, h)
	}
	return &part{archive: a, where: m, path: path, title: title, hash: h, mediaType: mediaType}, nil
}

func (p *part) descriptor() v1.Descriptor {
	return v1.Descriptor{MediaType: p.mediaType, Size: p.where.size, Digest: p.hash}
}
