package kubeadm

import (
	"crypto"
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
	"os"
	"path/filepath"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/cluster"
)

// servingLife is how long the kubelet's serving certificate lasts, the same as
// what kubeadm issues (certificateValidityPeriod); it is renewed at a start of
// the kubelet once a third of it is left.
const servingLife = 3 * 365 * 24 * time.Hour

// makeServing keeps a good certificate, and makes one else.
func makeServing(root string, in profiles.KeysInput) error {
	ca, signer, err := readCA(root)
	if err != nil {
		return cluster.NodeCredentials.New("cannot sign the kubelet's certificate with the cluster's CA: %w", err).
			Hint("restore %s and %s from this node's backup", caCert, caKey)
	}
	if servingIsGood(root, ca, in) {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	notAfter := in.Now.Add(servingLife)
	if notAfter.After(ca.NotAfter) {
		notAfter = ca.NotAfter
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"system:nodes"}, CommonName: "system:node:" + in.Node},
		NotBefore:    ca.NotBefore, // the clock of a node may be set back to about when the CA was made
		NotAfter:     notAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{in.Node},
	}
	for _, a := range in.Addresses {
		template.IPAddresses = append(template.IPAddresses, net.IP(a.Unmap().AsSlice()))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, key.Public(), signer)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writeSecret(filepath.Join(root, servingKey), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})); err != nil {
		return err
	}
	return writeSecret(filepath.Join(root, servingCert), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// servingIsGood: the pair fits (a power cut may have left one half new), the CA
// signed it, it is for this node's name and addresses, and lasts for a while.
func servingIsGood(root string, ca *x509.Certificate, in profiles.KeysInput) bool {
	pair, err := tls.LoadX509KeyPair(filepath.Join(root, servingCert), filepath.Join(root, servingKey))
	if err != nil {
		return false
	}
	cert := pair.Leaf
	if cert == nil || cert.CheckSignatureFrom(ca) != nil || cert.VerifyHostname(in.Node) != nil {
		return false
	}
	for _, a := range in.Addresses {
		if cert.VerifyHostname(a.Unmap().String()) != nil {
			return false
		}
	}
	return cert.NotAfter.Sub(in.Now) > cert.NotAfter.Sub(cert.NotBefore)/3
}

// readCA reads the certificate and key that kubeadm made: PEM, the key in the
// SEC 1, PKCS #1 or PKCS #8 form.
func readCA(root string) (*x509.Certificate, crypto.Signer, error) {
	certPEM, err := os.ReadFile(filepath.Join(root, caCert))
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err := os.ReadFile(filepath.Join(root, caKey))
	if err != nil {
		return nil, nil, err
	}
	// X509KeyPair reads all three forms and checks that the key fits.
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, nil, err
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || pair.Leaf == nil {
		return nil, nil, fmt.Errorf("the CA's key is a %T, need one that signs", pair.PrivateKey)
	}
	return pair.Leaf, signer, nil
}
