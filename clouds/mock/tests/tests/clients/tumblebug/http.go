// How CB-Tumblebug sends: a JSON body and its content type on every method, HTTP Basic, reads kept and tried again.
//
// Source: https://github.com/cloud-barista/cb-tumblebug/blob/main/src/core/common/client/client.go
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Texts of a 5xx after which a read is sent again.
var transient = []string{
	"connection reset by peer", "connection refused", "network is unreachable", "server misbehaving", "i/o timeout",
	"tls handshake timeout", "sdk.timeouterror", "unexpected eof", "requestlimitexceeded", "toomanyrequests", "throttl",
	"ratelimit",
}

type client struct {
	base, user, password string
	kept                 map[string]kept
	sent, fromMemory     int
}

type kept struct {
	until time.Time
	body  []byte
}

// refusal is an answer of 400 or more.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.text) }

// isNotFound reads the text first, as Tumblebug does.
func (r *refusal) isNotFound() bool {
	return contains(r.text, "does not exist in connection", "not found", "does not exist") || r.status == 404
}

func (r *refusal) isConflict() bool {
	return contains(r.text, "already exists in connection", "already exists", "conflict") || r.status == 409
}

func contains(text string, any ...string) bool {
	for _, part := range any {
		if strings.Contains(strings.ToLower(text), part) {
			return true
		}
	}
	return false
}

// call sends one request and decodes what is JSON. Reads are kept for as long as keep says.
func (c *client) call(method, path string, body, into any, keep time.Duration) error {
	var sent []byte
	if body != nil {
		sent = must(json.Marshal(body))
	}
	key := method + path + string(sent)
	if known, ok := c.kept[key]; ok && keep > 0 && time.Now().Before(known.until) {
		c.fromMemory++
		return json.Unmarshal(known.body, into)
	}
	for attempt := 1; ; attempt++ {
		answer, text, err := c.once(method, path, sent)
		if err == nil && answer.StatusCode < 400 {
			if !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
				return nil
			}
			if keep > 0 && method == "GET" {
				c.kept[key] = kept{time.Now().Add(keep), text}
			}
			return json.Unmarshal(text, into)
		}
		again := err != nil || (answer.StatusCode >= 500 && contains(string(text), transient...))
		if attempt == 3 || method != "GET" || !again {
			if err != nil {
				return err
			}
			return &refusal{answer.StatusCode, string(text)}
		}
		time.Sleep(100 * time.Millisecond << attempt)
	}
}

func (c *client) once(method, path string, body []byte) (*http.Response, []byte, error) {
	c.sent++
	request := must(http.NewRequest(method, c.base+path, bytes.NewReader(body)))
	request.SetBasicAuth(c.user, c.password)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer, text, err
}

func must[T any](value T, err error) T {
	check(err == nil, "%v", err)
	return value
}

func check(holds bool, says string, values ...any) {
	if !holds {
		fmt.Fprintf(os.Stderr, says+"\n", values...)
		os.Exit(1)
	}
}
