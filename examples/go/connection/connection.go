// Package connection opens a connection to Latchkey, as the environment describes it.
package connection

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Validate is asked again while the answer is UNAVAILABLE. So may be what changes something, if it carries a request_id.
const serviceConfig = `{"methodConfig": [{"name": [{"service": "latchkey.v1.ValidationService"}], "retryPolicy": {
	"maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2,
	"retryableStatusCodes": ["UNAVAILABLE"]}}]}`

// Open makes a connection to LATCHKEY_ADDRESS, host:port; with TLS if LATCHKEY_TLS_CA names a file, and with the
// certificate of LATCHKEY_TLS_CERTIFICATE and LATCHKEY_TLS_KEY if they do. It connects with the first call. One is
// enough for the life of the process: it carries any number of calls at once and comes back by itself when the server
// does.
func Open() (*grpc.ClientConn, error) {
	transport, err := readCredentials()
	if err != nil {
		return nil, err
	}
	return grpc.NewClient(os.Getenv("LATCHKEY_ADDRESS"), grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig))
}

func readCredentials() (credentials.TransportCredentials, error) {
	authority := os.Getenv("LATCHKEY_TLS_CA")
	if authority == "" {
		return insecure.NewCredentials(), nil
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	certificates, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	if !config.RootCAs.AppendCertsFromPEM(certificates) {
		return nil, fmt.Errorf("%s holds no certificate", authority)
	}
	if certificate := os.Getenv("LATCHKEY_TLS_CERTIFICATE"); certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, os.Getenv("LATCHKEY_TLS_KEY"))
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(config), nil
}
