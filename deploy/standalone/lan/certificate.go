package lan

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The files in the folder.
const (
	certificateFile = "lan.crt"
	keyFile         = "lan.key"
)

// A certificate is good for validity, which phones still accept, and replaced
// when less than renewal is left.
const (
	validity = 397 * 24 * time.Hour
	renewal  = 14 * 24 * time.Hour
)

// Certificate returns the folder's certificate for the addresses and names, and
// for localhost. It makes a new one if there is none, if it is for others, or if
// it ends soon; made tells.
func Certificate(dir string, addresses []netip.Addr, names []string, now time.Time) (cert tls.Certificate, made bool, err error) {
	hosts := subjects(addresses, names)
	if cert, err := tls.LoadX509KeyPair(filepath.Join(dir, certificateFile), filepath.Join(dir, keyFile)); err == nil && fits(cert, hosts, now) {
		return cert, false, nil
	}
	certPEM, keyPEM, err := newCertificate(hosts, now)
	if err != nil {
		return cert, false, fmt.Errorf("certificate: %w", err)
	}
	for name, text := range map[string][]byte{certificateFile: certPEM, keyFile: keyPEM} {
		// The old file goes first: it may have another mode, which writing keeps.
		path := filepath.Join(dir, name)
		if err := os.RemoveAll(path); err != nil {
			return cert, false, fmt.Errorf("certificate: %w", err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return cert, false, fmt.Errorf("certificate: %w", err)
		}
	}
	if cert, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		return cert, false, fmt.Errorf("certificate: %w", err)
	}
	return cert, true, nil
}

// subjects are all that a certificate is for, in order.
func subjects(addresses []netip.Addr, names []string) []string {
	hosts := append([]string{"localhost", "127.0.0.1", "::1"}, names...)
	for _, address := range addresses {
		hosts = append(hosts, address.WithZone("").String())
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// fits reports whether a certificate is for exactly these hosts, and for long
// enough.
func fits(cert tls.Certificate, hosts []string, now time.Time) bool {
	leaf := cert.Leaf
	if leaf == nil || now.Before(leaf.NotBefore) || now.Add(renewal).After(leaf.NotAfter) {
		return false
	}
	have := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		have = append(have, ip.String())
	}
	slices.Sort(have)
	return slices.Equal(have, hosts)
}

func newCertificate(hosts []string, now time.Time) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, fmt.Errorf("serial: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "parley dev", Organization: []string{"Parley, for development"}},
		NotBefore:    now.Add(-time.Hour), // the phone's clock may be behind
		NotAfter:     now.Add(validity - time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), nil
}
