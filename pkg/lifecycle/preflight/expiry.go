package preflight

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"time"
)

// Expiry is when credentials end, in UTC and whole seconds; a zero time is not known or never.
type Expiry struct {
	// ClientCertificate is the end of the client certificate, Token that of a bearer token that is a JWT.
	ClientCertificate, Token time.Time
}

// certificateEnd is when the first certificate of a PEM text ends: a client shows that one, the others are its issuers.
func certificateEnd(text []byte) time.Time {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return time.Time{}
		}
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return time.Time{}
			}
			return cert.NotAfter.UTC()
		}
		text = rest
	}
}

// lastYear keeps the time within what JSON can hold.
const lastYear = 9999

// tokenEnd is the claim "exp" of a JWT. The signature is not verified: a false time deceives nobody but its author.
func tokenEnd(token []byte) time.Time {
	parts := bytes.Split(bytes.TrimSpace(token), []byte("."))
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(string(parts[1]))
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Exp *float64 `json:"exp"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Exp == nil {
		return time.Time{}
	}
	end := time.Date(lastYear, time.December, 31, 23, 59, 59, 0, time.UTC)
	if seconds := *claims.Exp; seconds < 1 {
		return time.Time{}
	} else if seconds < float64(end.Unix()) {
		end = time.Unix(int64(seconds), 0).UTC()
	}
	return end
}
