package certificate

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
)

// rounds of PBKDF2: OWASP's advice for HMAC-SHA256.
const rounds = 600_000

// Encrypt gives a PKCS #8 key in PEM a passphrase: PBES2 with PBKDF2 and AES-256-CBC,
// which every openssl reads. RFC 8018, section 6.2.
func Encrypt(key, passphrase []byte, random io.Reader) ([]byte, error) {
	block, _ := pem.Decode(key)
	if block == nil {
		return nil, refuse("The private key is not in a valid PEM format.")
	}
	var fresh [32]byte // salt and initialisation vector
	if _, err := io.ReadFull(random, fresh[:]); err != nil {
		return nil, err
	}
	salt, iv := fresh[:16], fresh[16:]
	secret, err := pbkdf2.Key(sha256.New, string(passphrase), salt, rounds, 32)
	if err != nil {
		return nil, err
	}
	sealer, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	padding := aes.BlockSize - len(block.Bytes)%aes.BlockSize
	body := append([]byte{}, block.Bytes...)
	for range padding {
		body = append(body, byte(padding))
	}
	cipher.NewCBCEncrypter(sealer, iv).CryptBlocks(body, body)
	der, err := encrypted(salt, iv, body)
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), err
}

// encrypted is EncryptedPrivateKeyInfo of RFC 5958.
func encrypted(salt, iv, body []byte) ([]byte, error) {
	prf := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, Parameters: asn1.NullRawValue} // hmacWithSHA256
	derivation, err := algorithm(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, struct {
		Salt   []byte
		Rounds int
		PRF    pkix.AlgorithmIdentifier
	}{salt, rounds, prf})
	if err != nil {
		return nil, err
	}
	scheme, err := algorithm(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, iv) // aes256-CBC
	if err != nil {
		return nil, err
	}
	both, err := algorithm(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, []pkix.AlgorithmIdentifier{derivation, scheme}) // PBES2
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Body      []byte
	}{both, body})
}

func algorithm(id asn1.ObjectIdentifier, parameters any) (pkix.AlgorithmIdentifier, error) {
	der, err := asn1.Marshal(parameters)
	return pkix.AlgorithmIdentifier{Algorithm: id, Parameters: asn1.RawValue{FullBytes: der}}, err
}
