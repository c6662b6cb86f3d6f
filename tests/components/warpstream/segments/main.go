// Command segments stands for an agent of WarpStream, whose source is not public: many workers at a time that write
// files of some MiB under names never used before, read pieces of them, merge them and delete them.
//
//	segments write read work --manifest FILE [--cluster NAME] [--segments N] [--size BYTES] [--workers N]
//
// The commands are carried out in their order:
//
//	write   adds segments, and to the manifest what was written. Run again it writes on.
//	read    reads every segment of the manifest, whole and in pieces, and compares; lists them
//	work    merges the segments, works with a session, refuses what is damaged, and deletes everything
//
// The environment is an agent's: WARPSTREAM_BUCKET_URL and what the AWS SDK reads. The manifest has a line of JSON per
// segment: its key, its size and its SHA-256. Ends with `N passed, N failed, N skipped`.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

type settings struct {
	manifest, cluster, foreign string
	segments, size, workers    int
}

func main() {
	commands, given := parse(os.Args[1:])
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	report := &report{}
	agent, err := newAgent(ctx, os.Getenv("WARPSTREAM_BUCKET_URL"), given)
	report.check("the bucket's URL is understood", err)
	for _, command := range commands {
		if report.failed == 0 {
			command(agent, ctx, report)
		}
	}
	os.Exit(report.end())
}

func parse(words []string) ([]func(*agent, context.Context, *report), settings) {
	known := map[string]func(*agent, context.Context, *report){
		"write": (*agent).write, "read": (*agent).read, "work": (*agent).work,
	}
	var commands []func(*agent, context.Context, *report)
	for len(words) > 0 && known[words[0]] != nil {
		commands = append(commands, known[words[0]])
		words = words[1:]
	}
	var given settings
	flags := flag.NewFlagSet("segments", flag.ExitOnError)
	flags.StringVar(&given.manifest, "manifest", "", "file with what was written")
	flags.StringVar(&given.cluster, "cluster", "vci_tests", "folder below warpstream/")
	flags.StringVar(&given.foreign, "foreign-bucket", "local-iceberg-test", "a bucket that is not the agent's")
	flags.IntVar(&given.segments, "segments", 64, "how many to write")
	flags.IntVar(&given.size, "size", 4<<20, "bytes of each")
	flags.IntVar(&given.workers, "workers", 64, "how many at a time")
	flags.Parse(words)
	if len(commands) == 0 || given.manifest == "" || flags.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: segments write|read|work... --manifest FILE")
		os.Exit(2)
	}
	return commands, given
}
