// Asks that the gateway signed each request, when it is told to (docs/identity.md).
package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/dunglas/httpsfv"
)

// --- who it is

var (
	// Of the route; left out, nothing is asked.
	algorithm, isAsked = os.LookupEnv("BRAMA_SIGNED")

	secretFile = os.Getenv("BRAMA_SECRET_FILE") // the secret of hmac-sha256, as it is
	keyID      = os.Getenv("BRAMA_KEY_ID")      // its name
	nonces     = map[string]int64{}             // of signatures that are still valid, at this process
	swept      int64
	nonceLock  sync.Mutex
)

const (
	lifetime  = 300
	tolerance = 5
)

var errUnsigned = errors.New("not signed by the gateway")

// verify says what is wrong unless the gateway signed the request.
func verify(r *http.Request, body []byte, keys keyfunc.Keyfunc) error {
	if !isAsked {
		return nil
	}
	input, signature, err := signatureOf(r)
	if err != nil {
		return err
	}
	created, expires, nonce, id, err := parametersOf(input)
	if err != nil {
		return err
	}
	base, err := baseOf(r, input)
	if err != nil {
		return err
	}
	if err := isBy(r.Context(), id, keys, base, signature); err != nil {
		return err
	}
	now := time.Now().Unix()
	if created > now+tolerance || created < now-lifetime-tolerance {
		return errors.New("signed at another time")
	}
	// A body is proven where its sender made a digest of it.
	if digests := r.Header.Values("Content-Digest"); len(digests) > 0 {
		if err := hasDigest(body, digests); err != nil {
			return err
		}
	}
	return useOnce(nonce, expires)
}

// signatureOf returns what is said of the one signature, and the signature.
func signatureOf(r *http.Request) (list httpsfv.InnerList, signature []byte, err error) {
	inputs, err := httpsfv.UnmarshalDictionary(r.Header.Values("Signature-Input"))
	if err != nil {
		return list, nil, err
	}
	signatures, err := httpsfv.UnmarshalDictionary(r.Header.Values("Signature"))
	if err != nil {
		return list, nil, err
	}
	if len(inputs.Names()) != 1 || !slices.Equal(inputs.Names(), signatures.Names()) {
		return list, nil, errUnsigned
	}
	label := inputs.Names()[0]
	input, _ := inputs.Get(label)
	list, isList := input.(httpsfv.InnerList)
	member, _ := signatures.Get(label)
	item, isItem := member.(httpsfv.Item)
	signature, isBytes := item.Value.([]byte)
	if !isList || !isItem || !isBytes {
		return list, nil, errUnsigned
	}
	return list, signature, nil
}

func parametersOf(input httpsfv.InnerList) (created, expires int64, nonce, id string, err error) {
	number := func(name string) int64 {
		value, _ := input.Params.Get(name)
		number, isNumber := value.(int64)
		if !isNumber {
			err = errUnsigned
		}
		return number
	}
	text := func(name string) string {
		value, _ := input.Params.Get(name)
		text, isText := value.(string)
		if !isText {
			err = errUnsigned
		}
		return text
	}
	created, expires, nonce, id = number("created"), number("expires"), text("nonce"), text("keyid")
	if text("tag") != "brama" {
		err = errUnsigned
	}
	return created, expires, nonce, id, err
}

// baseOf returns what was signed (RFC 9421 2.5), if that is all that must be.
func baseOf(r *http.Request, input httpsfv.InnerList) ([]byte, error) {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	// For two portals behind one host the rest may be the same.
	audiences := strings.Join(r.Header.Values("X-Brama-Audience"), ", ")
	if audiences != audience {
		return nil, errors.New("signed for another portal")
	}
	parts := map[string]string{"@method": r.Method, "@path": path, "@query": "?" + query,
		"@authority": strings.TrimSuffix(strings.ToLower(r.Host), ":80")}
	missing := map[string]bool{"x-brama-audience": true}
	for name := range parts {
		missing[name] = true
	}
	// All that is told, or somebody could tell more than what was signed. Add what else the portal
	// reads, such as remote-user.
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-brama-") || name == "content-digest" {
			missing[name] = true
		}
	}
	var base bytes.Buffer
	for _, item := range input.Items {
		name, isText := item.Value.(string)
		value, isPart := parts[name]
		values := slices.Clone(r.Header.Values(name))
		if !isText || len(item.Params.Names()) > 0 || !isPart && len(values) == 0 {
			return nil, errUnsigned
		}
		if !isPart {
			for at := range values {
				values[at] = strings.TrimSpace(values[at])
			}
			value = strings.Join(values, ", ")
		}
		delete(missing, name)
		fmt.Fprintf(&base, "\"%s\": %s\n", name, value)
	}
	if len(missing) > 0 {
		return nil, errors.New("something was not signed")
	}
	parameters, err := httpsfv.Marshal(httpsfv.List{input})
	fmt.Fprintf(&base, "\"@signature-params\": %s", parameters)
	return base.Bytes(), err
}

// isBy verifies the signature by the shared key, or one of those of the tokens.
func isBy(ctx context.Context, id string, keys keyfunc.Keyfunc, base, signature []byte) error {
	if algorithm == "hmac-sha256" {
		secret, err := os.ReadFile(secretFile)
		if err != nil {
			return err
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write(base)
		if id != keyID || !hmac.Equal(mac.Sum(nil), signature) {
			return errUnsigned
		}
		return nil
	}
	published, err := keys.Storage().KeyRead(ctx, id)
	if err != nil {
		return err
	}
	switch key := published.Key().(type) {
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(base)
		if algorithm != "ecdsa-p256-sha256" || len(signature) != 64 {
			return errUnsigned
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		if ecdsa.Verify(key, digest[:], r, s) {
			return nil
		}
	case ed25519.PublicKey:
		if algorithm == "ed25519" && ed25519.Verify(key, base, signature) {
			return nil
		}
	}
	return errUnsigned
}

// hasDigest compares the body with each digest that is known (RFC 9530).
func hasDigest(body []byte, fields []string) error {
	digests, err := httpsfv.UnmarshalDictionary(fields)
	if err != nil {
		return err
	}
	sums := map[string]func() []byte{
		"sha-256": func() []byte { sum := sha256.Sum256(body); return sum[:] },
		"sha-512": func() []byte { sum := sha512.Sum512(body); return sum[:] },
	}
	isKnown := false
	for name, sum := range sums {
		member, isThere := digests.Get(name)
		if !isThere {
			continue
		}
		item, _ := member.(httpsfv.Item)
		digest, _ := item.Value.([]byte)
		if !bytes.Equal(digest, sum()) {
			return errors.New("another body")
		}
		isKnown = true
	}
	if !isKnown {
		return errors.New("a digest that nobody knows")
	}
	return nil
}

func useOnce(nonce string, expires int64) error {
	nonceLock.Lock()
	defer nonceLock.Unlock()
	now := time.Now().Unix() - tolerance
	if expires < now { // by the clock that the others are forgotten by
		return errors.New("signed at another time")
	}
	if now > swept { // once a second
		for known, end := range nonces {
			if end < now {
				delete(nonces, known)
			}
		}
		swept = now
	}
	if _, isKnown := nonces[nonce]; isKnown {
		return errors.New("this request was here before")
	}
	nonces[nonce] = expires
	return nil
}

// --- end
