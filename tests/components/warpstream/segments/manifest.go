package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"sort"
)

// segment is a line of the manifest.
type segment struct {
	Key    string `json:"key"`
	Size   int    `json:"size"`
	Sha256 string `json:"sha256"`
}

// readManifest gives the segments in the order of their keys; none where there is no file.
func readManifest(path string) ([]segment, error) {
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []segment
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var one segment
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	sort.Slice(all, func(a, b int) bool { return all[a].Key < all[b].Key })
	return all, lines.Err()
}

func addToManifest(path string, added []segment) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := json.NewEncoder(file)
	for _, one := range added {
		if err := lines.Encode(one); err != nil {
			return err
		}
	}
	return file.Close()
}

// differs compares what came back with what was written.
func (s segment) differs(content []byte) error {
	if len(content) != s.Size {
		return fmt.Errorf("%s: %d bytes, wanted %d", s.Key, len(content), s.Size)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != s.Sha256 {
		return fmt.Errorf("%s: another hash", s.Key)
	}
	return nil
}
