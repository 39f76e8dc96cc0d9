package cmd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificate makes a certificate for 127.0.0.1 and its key, as PEM.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	secret, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}))
}

func TestServeSpeaksTLSToAllAddressesWithATokenOfTheEnvironment(t *testing.T) {
	needConfinement(t)
	ownTemp(t)
	cert, key := certificate(t)
	t.Setenv("RUNNER_TOKEN", serveToken)
	s := newServed(t, "")
	s.write("runner.yaml", "listen: 0.0.0.0:0\ntoken: {env: RUNNER_TOKEN}\ntls: {cert: cert.pem, key: key.pem}\nscripts: {folder: scripts}\nprometheus: {listen: 127.0.0.1:0}\n")
	s.write("cert.pem", cert)
	s.write("key.pem", key)
	s.start()
	_, port, err := net.SplitHostPort(s.url[len("http://"):])
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM([]byte(cert)))
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	for header, status := range map[string]int{"Bearer " + serveToken: 200, "Bearer wrong": 401} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "https://127.0.0.1:"+port+"/v1/races", nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", header)
		res, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, status, res.StatusCode)
	}
}
