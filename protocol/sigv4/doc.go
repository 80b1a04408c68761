// Package sigv4 proves who sent a request: it verifies AWS Signature Version 4,
// in the Authorization header and in presigned addresses, and signs for our own
// agent and command line.
//
// Reading and proving are two steps, because the key must be looked up between
// them:
//
//	claim, err := sigv4.Read(r)                   // what the request says of itself
//	key, ok := keys.Key(claim.KeyID)
//	err = verifier.Verify(r, claim, key, sigv4.Hash(body), now)
//
// S3's bodies are not held: VerifyFlow proves the headers and gives a Flow, which
// proves the body as it is read.
//
// All errors are *fault.Fault in AWS's words. A request sent twice within the
// validity of its signature is legal, as on AWS: retries in the same second carry
// the same signature. TLS keeps others from repeating it.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
package sigv4
