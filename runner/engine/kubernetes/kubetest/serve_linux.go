package kubetest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// serve starts what is asked of a kubelet: the output of containers, and what cAdvisor counts. As a kubelet does, it asks the API server who asks,
// by a token or a certificate, and whether he may.
func (n *Node) serve(tb testing.TB, c *Cluster) {
	tb.Helper()
	own := c.ca.sign(tb, "system:node:"+n.Name, "system:nodes")
	cert, err := tls.X509KeyPair(own.cert, own.key)
	require.NoError(tb, err)
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(c.ca.pem)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: known, MinVersion: tls.VersionTLS12})
	require.NoError(tb, err)
	n.address = listener.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", n.guarded("proxy", n.logs))
	mux.HandleFunc("GET /metrics/cadvisor", n.guarded("metrics", n.metrics))
	n.server = http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = n.server.Serve(listener) }()
}

// guarded answers those only who may get a subresource of the node.
func (n *Node) guarded(subresource string, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, groups := n.who(r)
		if user == "" {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user, Groups: groups, ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "get", Version: "v1", Resource: "nodes", Subresource: subresource, Name: n.Name},
		}}
		said, err := n.client.AuthorizationV1().SubjectAccessReviews().Create(r.Context(), review, metav1.CreateOptions{})
		if err != nil || !said.Status.Allowed {
			http.Error(w, "Forbidden", http.StatusForbidden)
			return
		}
		answer(w, r)
	}
}

// who asks; "" is nobody that the cluster knows.
func (n *Node) who(r *http.Request) (user string, groups []string) {
	if certs := r.TLS.PeerCertificates; len(certs) > 0 {
		return certs[0].Subject.CommonName, certs[0].Subject.Organization
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	said, err := n.client.AuthenticationV1().TokenReviews().Create(r.Context(), review, metav1.CreateOptions{})
	if err != nil || !said.Status.Authenticated {
		return "", nil
	}
	return said.Status.User.Username, said.Status.User.Groups
}

// logs writes the output of a container, and what comes of it until it ends.
func (n *Node) logs(w http.ResponseWriter, r *http.Request) {
	p := n.find(r.PathValue("namespace"), r.PathValue("pod"))
	if p == nil {
		http.Error(w, "no such pod", http.StatusNotFound)
		return
	}
	<-p.started
	if p.output == nil {
		http.Error(w, "container is waiting to start", http.StatusBadRequest)
		return
	}
	file, err := os.Open(p.output.Name())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() { _ = file.Close() }()
	out := http.NewResponseController(w)
	_ = out.Flush()
	if lines, err := strconv.Atoi(r.URL.Query().Get("tailLines")); err == nil {
		all, _ := io.ReadAll(file)
		_, _ = w.Write(last(all, lines))
	}
	for whole := false; ; time.Sleep(10 * time.Millisecond) {
		_, _ = io.Copy(w, file)
		_ = out.Flush()
		if whole || r.URL.Query().Get("follow") != "true" || r.Context().Err() != nil {
			return
		}
		select {
		case <-p.drained:
			whole = true // once more
		default:
		}
	}
}

// last are the last lines of a text.
func last(text []byte, lines int) []byte {
	at := len(text)
	for i := 0; i <= lines && at >= 0; i++ {
		at = bytes.LastIndexByte(text[:at], '\n')
	}
	return text[at+1:]
}

// metrics tells the kernel's counters of all containers by the names that cAdvisor has in a kubelet.
func (n *Node) metrics(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	all := make([]*pod, 0, len(n.pods))
	for _, p := range n.pods {
		all = append(all, p)
	}
	n.mu.Unlock()
	for _, p := range all {
		select {
		case <-p.started:
			if p.program != nil {
				p.metrics(r.Context(), w)
			}
		default:
		}
	}
}

func (p *pod) metrics(ctx context.Context, w io.Writer) {
	c, err := p.group.Counters(ctx)
	if err != nil {
		return
	}
	write := func(name, more string, v float64) {
		_, _ = fmt.Fprintf(w, "container_%s{container=%q,%sid=%q,image=%q,namespace=%q,pod=%q} %v %d\n",
			name, p.container().Name, more, p.group.Path(), p.container().Image, p.spec.Namespace, p.spec.Name, v, c.At.UnixMilli())
	}
	write("cpu_usage_seconds_total", `cpu="total",`, c.CPU.Seconds())
	if c.Throttled != nil {
		write("cpu_cfs_throttled_seconds_total", "", c.Throttled.Seconds())
		write("cpu_cfs_periods_total", "", float64(*c.Periods))
		write("cpu_cfs_throttled_periods_total", "", float64(*c.ThrottledPeriod))
	}
	if c.WorkingSet != nil {
		write("memory_working_set_bytes", "", float64(*c.WorkingSet))
	}
	write("oom_events_total", "", float64(c.OOMKills))
	limits := p.container().Resources.Limits
	if q := limits.Cpu(); !q.IsZero() {
		write("spec_cpu_quota", "", q.AsApproximateFloat64()*100_000)
	}
	write("spec_memory_limit_bytes", "", float64(limits.Memory().Value()))
	_, _ = fmt.Fprintf(w, "container_cpu_usage_seconds_total{container=\"\",cpu=\"total\",id=\"/\",namespace=%q,pod=%q} %v %d\n", p.spec.Namespace, p.spec.Name, c.CPU.Seconds(), c.At.UnixMilli())
}
