package config

import (
	"crypto/sha256"
	"crypto/subtle"
)

// Known says whether there is a token at all.
func (s Secret) Known() bool { return s.known }

// Is says in constant time whether a token is the right one.
func (s Secret) Is(token string) bool {
	hash := sha256.Sum256([]byte(token))
	return s.known && subtle.ConstantTimeCompare(hash[:], s.hash[:]) == 1
}
