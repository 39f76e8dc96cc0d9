// Command sqs-worker is the sample worker: it takes messages from one queue and puts its replies into another. With --batched it takes and answers
// up to ten at once, else one by one.
//
// A message is a job in JSON: {"rounds": 100} makes so many rounds of SHA-256, {"wait_ms": 20} waits. What is no job fails, and is tried again a
// second later: the queue has to put it aside.
package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	// pollSeconds is how long the worker waits at the queue for a message, so that an idle one does not ask without end.
	pollSeconds = 10
	// retrySeconds is when a message that failed is tried again.
	retrySeconds = 1
	// mostAtOnce is what SQS gives at most.
	mostAtOnce = 10
	// pause follows an error of the queue.
	pause = 200 * time.Millisecond
)

func main() {
	batched := flag.Bool("batched", false, "take and answer up to ten messages at once")
	flag.Parse()
	if err := run(*batched); err != nil {
		fmt.Fprintf(os.Stderr, "sqs-worker: %v\n", err)
		os.Exit(1)
	}
}

// run works until SIGTERM or SIGINT.
func run(batched bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	w, err := connect(ctx, batched)
	if err != nil {
		return err
	}
	w.run(ctx)
	return nil
}

// worker is one that knows its queues.
type worker struct {
	sqs               *sqs.Client
	requests, replies string // addresses
	atOnce            int32
}

func connect(ctx context.Context, batched bool) (*worker, error) {
	settings := []func(*config.LoadOptions) error{config.WithDefaultRegion("us-east-1")}
	if cmp.Or(os.Getenv("AWS_ENDPOINT_URL_SQS"), os.Getenv("AWS_ENDPOINT_URL")) != "" && os.Getenv("AWS_ACCESS_KEY_ID") == "" {
		settings = append(settings, config.WithCredentialsProvider(aws.AnonymousCredentials{})) // a server of one's own
	}
	found, err := config.LoadDefaultConfig(ctx, settings...)
	if err != nil {
		return nil, err
	}
	w := &worker{sqs: sqs.NewFromConfig(found), atOnce: 1}
	if batched {
		w.atOnce = mostAtOnce
	}
	if w.requests, err = w.address(ctx, "QUEUE_URL"); err != nil {
		return nil, err
	}
	if w.replies, err = w.address(ctx, "REPLY_URL"); err != nil {
		return nil, err
	}
	return w, nil
}

// address is what a variable holds, which may also be the name of a queue.
func (w *worker) address(ctx context.Context, variable string) (string, error) {
	v := os.Getenv(variable)
	switch {
	case v == "":
		return "", fmt.Errorf("%s is not set; it must be the address or name of a queue", variable)
	case strings.Contains(v, "://"):
		return v, nil
	}
	found, err := w.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &v})
	if err != nil {
		return "", fmt.Errorf("find the queue %s: %w", v, err)
	}
	return *found.QueueUrl, nil
}

// run works until ctx ends.
func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := w.turn(ctx); err != nil && ctx.Err() == nil {
			fmt.Fprintf(os.Stderr, "sqs-worker: %v\n", err)
			time.Sleep(pause)
		}
	}
}

// turn takes messages, works on them, answers, and deletes them: in this order, so that a worker that dies loses none.
func (w *worker) turn(ctx context.Context) error {
	got, err := w.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &w.requests, MaxNumberOfMessages: w.atOnce, WaitTimeSeconds: pollSeconds, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil {
		return err
	}
	var answers []answer
	for _, m := range got.Messages {
		body, err := work(aws.ToString(m.Body))
		if err != nil {
			fmt.Fprintf(os.Stderr, "sqs-worker: message %s: %v\n", aws.ToString(m.MessageId), err)
			if _, err := w.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &w.requests, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: retrySeconds}); err != nil {
				return err
			}
			continue
		}
		answers = append(answers, answer{m, body})
	}
	switch {
	case len(answers) == 0:
		return nil
	case w.atOnce == 1:
		return w.answer(ctx, answers[0])
	}
	return w.answerAll(ctx, answers)
}

// answer is a message that was worked on.
type answer struct {
	to   types.Message
	body string
}

// attributes let the reply find who waits for it, and tell how often the queue had given the message out.
func (a answer) attributes() map[string]types.MessageAttributeValue {
	const correlation, count = "CorrelationId", "ReceiveCount"
	attributes := map[string]types.MessageAttributeValue{}
	if id, ok := a.to.MessageAttributes[correlation]; ok {
		attributes[correlation] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: id.StringValue}
	}
	if n := a.to.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)]; n != "" {
		attributes[count] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &n}
	}
	return attributes
}

func (w *worker) answer(ctx context.Context, a answer) error {
	if _, err := w.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &w.replies, MessageBody: &a.body, MessageAttributes: a.attributes()}); err != nil {
		return err
	}
	_, err := w.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &w.requests, ReceiptHandle: a.to.ReceiptHandle})
	return err
}

func (w *worker) answerAll(ctx context.Context, answers []answer) error {
	var send []types.SendMessageBatchRequestEntry
	var remove []types.DeleteMessageBatchRequestEntry
	for i, a := range answers {
		id := strconv.Itoa(i)
		send = append(send, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &a.body, MessageAttributes: a.attributes()})
		remove = append(remove, types.DeleteMessageBatchRequestEntry{Id: &id, ReceiptHandle: a.to.ReceiptHandle})
	}
	sent, err := w.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &w.replies, Entries: send})
	if err != nil {
		return err
	}
	if len(sent.Failed) > 0 {
		return fmt.Errorf("%d of %d replies were refused", len(sent.Failed), len(send)) // their messages come again
	}
	_, err = w.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &w.requests, Entries: remove})
	return err
}

// job is what a message asks for.
type job struct {
	Rounds int `json:"rounds"`
	WaitMS int `json:"wait_ms"`
}

func work(text string) (string, error) {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return "", fmt.Errorf("it is no job: %w", err)
	}
	time.Sleep(time.Duration(j.WaitMS) * time.Millisecond)
	sum := sha256.Sum256([]byte(text))
	for range j.Rounds {
		sum = sha256.Sum256(sum[:])
	}
	return hex.EncodeToString(sum[:]), nil
}
