package queue

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/photofinish/photofinish/pkg/race"
)

// ErrGone is in every error whose cause is that there is no such queue.
var ErrGone = errors.New("there is no such queue")

func invalid(hint, format string, args ...any) error {
	return race.Errorf(race.Invalid, hint, format, args...)
}

// nameServer is what errors call the server. An address with a password in it is refused: it would end up in records.
func nameServer(endpoint, region string) (string, error) {
	if endpoint == "" {
		return "Amazon SQS in " + region, nil
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "":
		return "", invalid("write it like http://localhost:4100", "the endpoint of the queues is no address")
	case u.User != nil:
		return "", invalid("name who asks by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", "the endpoint of the queues at %s holds a user or password", u.Host)
	}
	return u.Scheme + "://" + u.Host, nil
}

// Name is a queue's name, of its name or address.
func Name(queue string) string { return path.Base(queue) }

func (c *Client) failed(do, queue string, err error) error {
	return explain(fmt.Sprintf("%s the queue %s at %s", do, Name(queue), c.server), err)
}

// refused is the first of the messages of a batch that were not taken.
func (c *Client) refused(do, queue string, failed []types.BatchResultErrorEntry) error {
	if len(failed) == 0 {
		return nil
	}
	why := ""
	if failed[0].Message != nil {
		why = ": " + sentence(*failed[0].Message)
	}
	return race.Errorf(race.Unavailable, "", "cannot %s the queue %s at %s: %d of the batch were refused%s", do, Name(queue), c.server, len(failed), why)
}

// explain says in one sentence what could not be done and why.
func explain(what string, err error) error {
	var api smithy.APIError
	var transport *url.Error
	switch {
	case errors.As(err, &api) && isGone(api):
		return race.Errorf(race.Unavailable, "create it, or name another one", "cannot %s: %w", what, ErrGone)
	case errors.As(err, &api):
		return race.Errorf(race.Unavailable, "", "cannot %s: %s (%s)", what, sentence(api.ErrorMessage()), api.ErrorCode())
	case errors.As(err, &transport):
		return race.Errorf(race.Unavailable, "is the server there, and AWS_ENDPOINT_URL its address?", "cannot %s: %w", what, transport.Err)
	case strings.Contains(err.Error(), "get credentials") || strings.Contains(err.Error(), "retrieve credentials"):
		return race.Errorf(race.Unavailable, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_ENDPOINT_URL for a server of your own", "cannot %s: there are no credentials", what)
	}
	return race.Errorf(race.Unavailable, "", "cannot %s: %w", what, err)
}

// sentence is what a person may read of a server's message: its first line. To a signature that does not match Amazon answers with all that was to
// be signed, and a session token is a part of it.
func sentence(message string) string {
	line, _, _ := strings.Cut(message, "\n")
	for _, name := range secrets {
		if v := os.Getenv(name); v != "" {
			line = strings.ReplaceAll(line, v, "…")
		}
	}
	return strings.TrimSuffix(strings.TrimSpace(line), ".")
}

// isGone knows the codes of both of SQS's protocols. goaws names the code of neither when it is asked about a queue.
func isGone(e smithy.APIError) bool {
	var gone *types.QueueDoesNotExist
	return errors.As(error(e), &gone) || strings.HasSuffix(e.ErrorCode(), "NonExistentQueue") || strings.HasSuffix(e.ErrorCode(), "QueueDoesNotExist")
}
