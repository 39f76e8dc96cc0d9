// Package queue speaks to queues of Amazon SQS, or of a server that understands its API: it sends, receives, counts and sweeps.
//
// Where the server is and who asks comes from the environment, as in every program that uses Amazon's SDK: AWS_ENDPOINT_URL_SQS or
// AWS_ENDPOINT_URL, AWS_REGION or AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID and its like. Files such as ~/.aws/credentials are not read. Nothing is
// signed for a server of one's own (an endpoint is named, and no credentials are). No error of this package holds a credential.
package queue

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// The attributes of messages by which a reply finds who waits for it.
const (
	// CorrelationID is on every message that a race sends. A worker copies it to the reply.
	CorrelationID = "CorrelationId"
	// ReceiveCount is how often the worker's queue had given the message out when it was answered; a worker may put it on the reply.
	ReceiveCount = "ReceiveCount"
)

const (
	// BatchSize is the most messages that SQS takes or gives at once.
	BatchSize = 10
	// ownRegion stands for the region where an endpoint is named and no region is: servers of one's own do not care.
	ownRegion = "us-east-1"
	// idleConnections is how many connections are kept: one for each VU of a large race.
	idleConnections = 1000
)

// Environment are the variables by which a program finds its queues and its credentials; each is passed on to a worker that is raced.
var Environment = []string{
	"AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
}

// Files are more of them, which name files of this machine.
var Files = []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CA_BUNDLE"}

// identities are the variables of which one says who asks.
var identities = []string{
	"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
}

// secrets are those of the variables whose values nobody is to read.
var secrets = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}

// Options say where the server is; "" is what the environment says.
type Options struct {
	Endpoint string // http://localhost:4100
	Region   string // eu-central-1
}

// Client asks one server. It may be used concurrently.
type Client struct {
	sqs    *sqs.Client
	server string // as errors name it
}

// Connect makes a client; the server is not asked anything yet. What fails is never tried again by itself: who measures wants to know of it.
func Connect(ctx context.Context, o Options) (*Client, error) {
	endpoint := cmp.Or(o.Endpoint, os.Getenv("AWS_ENDPOINT_URL_SQS"), os.Getenv("AWS_ENDPOINT_URL"))
	settings := []func(*config.LoadOptions) error{
		config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}),
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, idleConnections
		})),
	}
	if o.Region != "" {
		settings = append(settings, config.WithRegion(o.Region))
	}
	if endpoint != "" && !slices.ContainsFunc(identities, func(name string) bool { return os.Getenv(name) != "" }) {
		settings = append(settings, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	found, err := config.LoadDefaultConfig(ctx, settings...)
	if err != nil {
		return nil, explain("connect to SQS", err)
	}
	if found.Region == "" && endpoint != "" {
		found.Region = ownRegion
	}
	if found.Region == "" {
		return nil, invalid("set AWS_REGION, or AWS_ENDPOINT_URL for a server of your own", "nothing says where the queues are")
	}
	server, err := nameServer(endpoint, found.Region)
	if err != nil {
		return nil, err
	}
	return &Client{server: server, sqs: sqs.NewFromConfig(found, func(s *sqs.Options) {
		if endpoint != "" {
			s.BaseEndpoint = &endpoint
		}
	})}, nil
}

// Message is a message that was received.
type Message struct {
	ID         string
	Body       string
	Attributes map[string]string
	Handle     string // by which it is deleted
	Receives   int    // how often the queue has given it out, this time included
}

// Outgoing is a message to be sent.
type Outgoing struct {
	Body       string
	Attributes map[string]string
}

// URL finds a queue's address by its name; an address is its own.
func (c *Client) URL(ctx context.Context, name string) (string, error) {
	if strings.Contains(name, "://") {
		return name, nil
	}
	found, err := c.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return "", c.failed("find", name, err)
	}
	return aws.ToString(found.QueueUrl), nil
}

// Send sends one message and returns its id.
func (c *Client) Send(ctx context.Context, queue string, m Outgoing) (id string, err error) {
	sent, err := c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &m.Body, MessageAttributes: values(m.Attributes)})
	if err != nil {
		return "", c.failed("send to", queue, err)
	}
	return aws.ToString(sent.MessageId), nil
}

// SendBatch sends any number of messages, ten at once. An error says that not all were sent.
func (c *Client) SendBatch(ctx context.Context, queue string, messages []Outgoing) error {
	for batch := range slices.Chunk(messages, BatchSize) {
		entries := make([]types.SendMessageBatchRequestEntry, len(batch))
		for i := range batch {
			entries[i] = types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &batch[i].Body, MessageAttributes: values(batch[i].Attributes)}
		}
		sent, err := c.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &queue, Entries: entries})
		if err != nil {
			return c.failed("send to", queue, err)
		}
		if err := c.refused("send to", queue, sent.Failed); err != nil {
			return err
		}
	}
	return nil
}

// Receive takes up to ten messages, and waits up to a whole number of seconds for the first. hide is for how long others do not see them; 0
// leaves that to the queue.
func (c *Client) Receive(ctx context.Context, queue string, most int, wait, hide time.Duration) ([]Message, error) {
	got, err := c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &queue, MaxNumberOfMessages: int32(min(most, BatchSize)), WaitTimeSeconds: int32(wait / time.Second), VisibilityTimeout: int32(hide / time.Second),
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil {
		return nil, c.failed("receive from", queue, err)
	}
	messages := make([]Message, len(got.Messages))
	for i, m := range got.Messages {
		messages[i] = Message{ID: aws.ToString(m.MessageId), Body: aws.ToString(m.Body), Handle: aws.ToString(m.ReceiptHandle), Attributes: make(map[string]string, len(m.MessageAttributes))}
		messages[i].Receives, _ = strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
		for name, v := range m.MessageAttributes {
			messages[i].Attributes[name] = aws.ToString(v.StringValue)
		}
	}
	return messages, nil
}

// Delete deletes messages that were received, by their handles.
func (c *Client) Delete(ctx context.Context, queue string, handles []string) error {
	for batch := range slices.Chunk(handles, BatchSize) {
		entries := make([]types.DeleteMessageBatchRequestEntry, len(batch))
		for i := range batch {
			entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &batch[i]}
		}
		deleted, err := c.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &queue, Entries: entries})
		if err != nil {
			return c.failed("delete from", queue, err)
		}
		if err := c.refused("delete from", queue, deleted.Failed); err != nil {
			return err
		}
	}
	return nil
}

// Backlog is about how many messages wait to be received.
func (c *Client) Backlog(ctx context.Context, queue string) (int64, error) {
	text, err := c.attribute(ctx, queue, types.QueueAttributeNameApproximateNumberOfMessages)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, c.failed("count the messages of", queue, err)
	}
	return n, nil
}

func (c *Client) attribute(ctx context.Context, queue string, name types.QueueAttributeName) (string, error) {
	got, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		return "", c.failed("ask about", queue, err)
	}
	return got.Attributes[string(name)], nil
}

func values(attributes map[string]string) map[string]types.MessageAttributeValue {
	all := make(map[string]types.MessageAttributeValue, len(attributes))
	for name, v := range attributes {
		all[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &v}
	}
	return all
}
