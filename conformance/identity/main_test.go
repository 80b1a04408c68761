package identity_test

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/berthhq/berth/conformance/images"
)

// probe is the image of our program.
const probe = "probe:1"

// here is the berth that most tests share, and sessions its DynamoDB; TestMain
// starts and ends them.
var (
	here     *berth
	sessions *engine
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := withBerth(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withBerth(run func() int) (int, error) {
	if os.Geteuid() != 0 {
		return 0, fmt.Errorf("these tests start containers: run them as root")
	}
	dir, err := os.MkdirTemp("", "berth-identity")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	archive = filepath.Join(dir, "images.tar")
	if err := makeImages(dir, archive); err != nil {
		return 0, err
	}
	var dynamo *httptest.Server
	sessions, dynamo = startEngine()
	defer dynamo.Close()
	if here, err = startBerth(filepath.Join(dir, "data"), "--engine", "dynamodb="+dynamo.URL); err != nil {
		return 0, err
	}
	if err := here.load(); err != nil {
		return 0, err
	}
	// Tests mostly wait: more of them than processors may.
	if err := flag.Set("test.parallel", "8"); err != nil {
		return 0, err
	}
	code := run()
	return code, here.End()
}

// archive holds the images.
var archive string

func makeImages(dir, archive string) error {
	file, err := images.Program(dir, "./probe")
	if err != nil {
		return err
	}
	return images.Write(archive, images.Image{Names: []string{probe}, Files: []images.File{file}, Config: images.Config{Entrypoint: []string{"/probe"}}})
}

// load has the berth hold the images, and the log group, which roles that run tasks
// may not make.
func (b *berth) load() error {
	if err := b.Load(archive); err != nil {
		return err
	}
	_, err := b.logs.CreateLogGroup(context.Background(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(logGroup)})
	return err
}
