package queue

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/photofinish/photofinish/pkg/race"
)

const (
	// sweepWait lets SQS look into all of its servers: without it an answer may leave out messages.
	sweepWait = time.Second
	// sweepHide is for how long a message is hidden while it is looked at.
	sweepHide = 30 * time.Second
)

// Swept is what a queue still held.
type Swept struct {
	Left int // messages of a race
	// Poison are those of them that a worker received more than once and never finished; MostReceives is how often at most.
	Poison, MostReceives int
}

// Sweep empties a queue of what races left: messages with a CorrelationID. A message without one is somebody's: it stays, and is an error.
// What a worker has taken and not finished is hidden from Sweep, too, until the queue shows it again.
func (c *Client) Sweep(ctx context.Context, queue string) (Swept, error) {
	var s Swept
	for {
		messages, err := c.Receive(ctx, queue, BatchSize, sweepWait, sweepHide)
		if err != nil || len(messages) == 0 {
			return s, err
		}
		var own []string
		for _, m := range messages {
			if m.Attributes[CorrelationID] == "" {
				return s, race.Errorf(race.Invalid, "give each lane queues of its own, to which nobody else sends", "the queue %s at %s holds messages that are of no race", Name(queue), c.server)
			}
			own = append(own, m.Handle)
			s.Left++
			if before := m.Receives - 1; before > 1 {
				s.Poison++
				s.MostReceives = max(s.MostReceives, before)
			}
		}
		if err := c.Delete(ctx, queue, own); err != nil {
			return s, err
		}
	}
}

// DeadLetters is where a queue puts what was received too often, "" if it has no such place.
func (c *Client) DeadLetters(ctx context.Context, queue string) (string, error) {
	text, err := c.attribute(ctx, queue, types.QueueAttributeNameRedrivePolicy)
	if err != nil || text == "" {
		return "", err
	}
	var policy struct {
		Target string `json:"deadLetterTargetArn"`
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return "", c.failed("read the redrive policy of", queue, err)
	}
	return c.URL(ctx, policy.Target[strings.LastIndex(policy.Target, ":")+1:])
}
